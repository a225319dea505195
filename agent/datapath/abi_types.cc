// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/abi_types.h"

#include <algorithm>
#include <iterator>

namespace kith {

static_assert(static_cast<uint32_t>(DirectFlow::State::kConnecting) ==
              DIRECT_CONNECTING);
static_assert(static_cast<uint32_t>(DirectFlow::State::kOpen) == DIRECT_OPEN);
static_assert(static_cast<uint32_t>(DirectFlow::State::kClosed) ==
              DIRECT_CLOSED);

Endpoint FromAbi(const flow_endpoint &abi) {
  Endpoint endpoint;
  std::ranges::copy(abi.address, endpoint.address.begin());
  endpoint.port = abi.port;
  return endpoint;
}

flow_endpoint ToAbi(const Endpoint &endpoint) {
  flow_endpoint abi{};
  std::ranges::copy(endpoint.address, std::begin(abi.address));
  abi.port = endpoint.port;
  return abi;
}

FlowOrigin FromAbi(const flow_origin &abi) {
  return {.process = FromAbi(abi.process),
          .image = FromAbi(abi.image),
          .destination = FromAbi(abi.destination),
          .netns_cookie = abi.netns_cookie,
          .socket_cookie = abi.socket_cookie,
          .connected_at_ns = abi.connected_at_ns};
}

Listener FromAbi(const listener_entry &abi) {
  return {.process = FromAbi(abi.process),
          .image = FromAbi(abi.image),
          .socket_cookie = abi.socket_cookie,
          .sockets = abi.sockets};
}

DirectFlow FromAbi(const direct_flow &abi) {
  return {.origin = FromAbi(abi.origin),
          .client = FromAbi(abi.client),
          .grant = abi.pass,
          .listener_cookie = abi.listener_cookie,
          .bytes_sent = abi.bytes_sent,
          .bytes_received = abi.bytes_received,
          .opened_at_ns = abi.opened_at_ns,
          .state = static_cast<DirectFlow::State>(abi.state),
          .assigned = abi.assigned != 0,
          .closed_from = abi.closed_from,
          .error = abi.error};
}

}  // namespace kith
