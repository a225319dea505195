// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/netns_steering.h"

#include <sys/socket.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"

#include "agent/datapath/attachments.h"
#include "agent/datapath/libbpf_log.h"
#include "sk_lookup.skel.h"

namespace kith {

// A child of the agent, until it does exec, is a process with the agent's
// sockets: as "known already" they are never entered as its listeners.
absl::Status NetnsSteering::HideFromTable(const FileDescriptor &listener) {
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  if (getsockopt(listener.get(), SOL_SOCKET, SO_COOKIE, &cookie, &length) !=
      0) {
    return absl::ErrnoToStatus(errno, "SO_COOKIE");
  }
  return programs_.maps()->listening.Update(cookie, listener_key{}, BPF_ANY);
}

absl::Status NetnsSteering::OfferOne(const agent_listener_key &key,
                                     const FileDescriptor &listener) {
  if (!listener.valid()) {
    return absl::OkStatus();  // the namespace has no such family
  }
  if (auto hidden = HideFromTable(listener); !hidden.ok()) {
    return hidden;
  }
  return programs_.maps()->agent_listeners.Update(
      key, static_cast<uint64_t>(listener.get()), BPF_ANY);
}

absl::Status NetnsSteering::Offer(const NetnsListeners &listeners) {
  const uint64_t cookie = listeners.netns_cookie;
  // Braces would not be a value of a C struct's own type here.
  const auto key = [cookie](agent_listener_role role, uint32_t family) {
    return agent_listener_key{
        .netns_cookie = cookie, .role = role, .family = family};
  };
  for (absl::Status offered : {
           OfferOne(key(AGENT_LISTENER_INBOUND, AF_INET), listeners.inbound_v4),
           OfferOne(key(AGENT_LISTENER_INBOUND, AF_INET6),
                    listeners.inbound_v6),
           OfferOne(key(AGENT_LISTENER_OUTBOUND, AF_INET),
                    listeners.outbound_v4),
           OfferOne(key(AGENT_LISTENER_OUTBOUND, AF_INET6),
                    listeners.outbound_v6),
       }) {
    if (!offered.ok()) {
      return offered;
    }
  }
  return absl::OkStatus();
}

void NetnsSteering::Withdraw(uint64_t netns_cookie) {
  if (left_) {
    return;
  }
  for (const uint32_t role :
       {AGENT_LISTENER_OUTBOUND, AGENT_LISTENER_INBOUND}) {
    for (const uint32_t family : {AF_INET, AF_INET6}) {
      (void)programs_.maps()->agent_listeners.Delete(
          {.netns_cookie = netns_cookie, .role = role, .family = family});
    }
  }
}

absl::StatusOr<FileDescriptor> NetnsSteering::AttachSkLookup(
    uint64_t netns_cookie, int netns_fd) {
  sk_lookup_bpf *skeleton = sk_lookup_bpf__open();
  if (skeleton == nullptr) {
    return absl::ErrnoToStatus(errno, "opening the sk_lookup object");
  }
  absl::Cleanup destroy = [skeleton] { sk_lookup_bpf__destroy(skeleton); };
  skeleton->rodata->netns_cookie = netns_cookie;
  skeleton->rodata->gives_passes = programs_.settings().gives_grants;
  auto shared = ShareMaps(programs_.object(), skeleton->obj);
  if (!shared.ok()) {
    return shared;
  }
  if (int error = sk_lookup_bpf__load(skeleton); error != 0) {
    return absl::ErrnoToStatus(
        -error, absl::StrCat("loading sk_lookup: ", TakeLibbpfWarnings()));
  }
  return AttachOrReplace(bpf_program__fd(skeleton->progs.kith_sk_lookup),
                         netns_fd,
                         BPF_SK_LOOKUP,
                         pins_,
                         PinDirectory::NetnsLinkName(netns_cookie),
                         pin_);
}

void NetnsSteering::Unpin(uint64_t netns_cookie) {
  if (!left_) {
    pins_.Unpin(PinDirectory::NetnsLinkName(netns_cookie));
  }
}

absl::Status NetnsSteering::PinSkLookup(uint64_t netns_cookie, int link) const {
  return pins_.Pin(link, PinDirectory::NetnsLinkName(netns_cookie));
}

}  // namespace kith
