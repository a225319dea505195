// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/flowtable/close_reason.h"
#include "agent/flowtable/flow_table.h"
#include "agent/handshake/tls_stream.h"
#include "agent/relay/checkpoint_place.h"
#include "agent/relay/relay_state.h"
#include "agent/runtime/event_loop.h"

namespace kith {

struct RelayEnd {
  CloseReason reason = CloseReason::kClosed;
  std::string detail;
};

// Relay moves bytes between an inner socket (application) and an outer one with
// exact TCP semantics: a half-close is passed on as FIN (after close_notify
// over TLS), a reset as a reset, and a FIN without close_notify is a reset with
// kTruncated. Memory per flow is bounded and held only while bytes are on their
// way. The flow's `bytes_sent` counts inner to outer (what the local
// application sent), `bytes_received` outer to inner, in both flow directions.
class Relay {
 public:
  static std::unique_ptr<Relay> Tls(TcpSocket inner,
                                    std::unique_ptr<TlsStream> outer,
                                    std::shared_ptr<LiveFlow> flow);
  static std::unique_ptr<Relay> Plain(TcpSocket inner,
                                      TcpSocket outer,
                                      std::shared_ptr<LiveFlow> flow);
  // Import goes on where another process has exported a relay.
  // InvalidArgument: the state is none that a relay has exported.
  static absl::StatusOr<std::unique_ptr<Relay>> Import(
      RelayState state, Executor executor, std::shared_ptr<LiveFlow> flow);
  virtual ~Relay() = default;

  // Run returns when both directions have ended; the sockets are closed then.
  virtual Task<RelayEnd> Run() = 0;

  // Abort resets both sockets; Run returns with `reason`. Call on the loop.
  virtual void Abort(CloseReason reason) = 0;

  // Export makes Run return with kHandedOver and both sockets open; after
  // that TakeState returns all that another process needs to go on. Call on the
  // loop.
  virtual void Export() = 0;
  virtual RelayState TakeState() = 0;

  // Keep lets the relay be entered later: from now on nothing of the
  // application is in this process only. Before Run. FailedPrecondition: that
  // cannot be (the kernel's TLS receives, or its socket's buffer is too small),
  // and nothing has changed.
  virtual absl::Status Keep() = 0;
  virtual RelayOutline Outline() = 0;
  // Enter keeps every step in `place`, which outlives Run and TakeState, so
  // that Import goes on where this process dies. Unavailable: not now, in some
  // milliseconds perhaps; any other error is for good. Call on the loop.
  virtual absl::Status Enter(const CheckpointPlace &place) = 0;
};

}  // namespace kith
