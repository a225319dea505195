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

// Relay moves bytes between an inner socket (application) and an outer socket
// with exact TCP semantics: a half-close is passed on as FIN (after
// close_notify over TLS), a reset as a reset, and a FIN without close_notify as
// a reset with kTruncated. Memory per flow is bounded and held only while bytes
// are in transit. The flow's `bytes_sent` counts inner to outer (what the local
// application sent), `bytes_received` outer to inner, in both flow directions.
class Relay {
 public:
  static std::unique_ptr<Relay> Tls(TcpSocket inner,
                                    std::unique_ptr<TlsStream> outer,
                                    std::shared_ptr<LiveFlow> flow);
  static std::unique_ptr<Relay> Plain(TcpSocket inner,
                                      TcpSocket outer,
                                      std::shared_ptr<LiveFlow> flow);
  // Import continues a relay that another process exported. InvalidArgument: no
  // relay exported this state.
  static absl::StatusOr<std::unique_ptr<Relay>> Import(
      RelayState state, Executor executor, std::shared_ptr<LiveFlow> flow);
  virtual ~Relay() = default;

  // Run returns when both directions have ended; the sockets are closed then.
  virtual Task<RelayEnd> Run() = 0;

  // Abort resets both sockets; Run returns with `reason`. Call on the loop.
  virtual void Abort(CloseReason reason) = 0;

  // Export makes Run return with kHandedOver and both sockets open; TakeState
  // then returns all that another process needs to continue. Call on the loop.
  virtual void Export() = 0;
  virtual RelayState TakeState() = 0;

  // Keep allows a later Enter: from now on no byte of the application is in
  // this process only. Call before Run. FailedPrecondition: impossible (the
  // kernel's TLS receives, or its socket's buffer is too small); nothing has
  // changed.
  virtual absl::Status Keep() = 0;
  virtual RelayOutline Outline() = 0;
  // Enter writes every step to `place`, which outlives Run and TakeState, so
  // that Import can continue after this process dies. Unavailable: not at this
  // moment, retry after milliseconds; any other error is final. Call on the
  // loop.
  virtual absl::Status Enter(const CheckpointPlace &place) = 0;
};

}  // namespace kith
