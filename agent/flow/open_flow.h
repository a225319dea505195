// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"

#include "agent/flow/flow_end.h"
#include "agent/flow/flow_permit.h"
#include "agent/flowtable/flow_table.h"
#include "agent/relay/relay.h"
#include "agent/runtime/event_loop.h"
#include "kith/endpoint.h"
#include "kith/process.h"

namespace kith {

// OpenFlow is a flow that was authorised, and whose bytes are about to be on
// their way.
struct OpenFlow {
  std::shared_ptr<LiveFlow> flow;
  // With both parties where it is under mutual TLS.
  std::shared_ptr<const FlowPermit> permit;

  // The connection under mutual TLS; unset for one in plaintext, and for one
  // that another process has opened.
  uint64_t netns_cookie = 0;
  Endpoint outer_local;
  Endpoint outer_remote;
  ProcessFacts process{};  // outbound: that connected, as the hook saw it
};

// OpenFlowSubscriber is told of the life of each open flow that the agent
// relays: what accompanies a flow (its permit, its checkpoint, its meeting with
// the other end) is one, and so is what counts flows. Its methods are called on
// the flow's loop, and do not block. Thread-safe.
class OpenFlowSubscriber {
 public:
  virtual ~OpenFlowSubscriber() = default;

  // Secured: the handshake is done, and each party allows the other.
  virtual void Secured(const OpenFlow & /*open*/) {}

  // Relaying: `relay` is about to run, on `executor`'s loop. An error refuses
  // the flow: its message is the detail of kRevoked.
  virtual absl::Status Relaying(const OpenFlow & /*open*/,
                                const std::shared_ptr<Relay> & /*relay*/,
                                Executor /*executor*/) {
    return absl::OkStatus();
  }

  // Ended is called once for each flow that one of the others was called for,
  // whether or not this subscriber's was. It may complete `end`.
  virtual void Ended(const OpenFlow & /*open*/, FlowEnd & /*end*/) {}
};

// OpenFlowSubscribers are told in this order, and of the end in the reverse.
using OpenFlowSubscribers = std::vector<OpenFlowSubscriber *>;

// AccompaniedFlow tells the subscribers of one flow.
class AccompaniedFlow {
 public:
  // `subscribers` outlive this.
  AccompaniedFlow(const OpenFlowSubscribers &subscribers, OpenFlow open)
      : subscribers_(subscribers), open_(std::move(open)) {}
  // Tells of the end where End was not called: the agent stops.
  ~AccompaniedFlow();
  AccompaniedFlow(const AccompaniedFlow &) = delete;
  AccompaniedFlow &operator=(const AccompaniedFlow &) = delete;

  const OpenFlow &open() const { return open_; }

  void Secured();
  absl::Status Relaying(const std::shared_ptr<Relay> &relay, Executor executor);
  FlowEnd End(FlowEnd end);

 private:
  const OpenFlowSubscribers &subscribers_;
  const OpenFlow open_;
  bool ended_ = false;
};

}  // namespace kith
