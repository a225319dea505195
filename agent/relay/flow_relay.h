// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/flowtable/close_reason.h"
#include "agent/flowtable/flow_table.h"
#include "agent/handshake/tls_stream.h"
#include "agent/relay/buffer_pool.h"
#include "agent/relay/checkpoint_place.h"
#include "agent/relay/conveyor.h"
#include "agent/relay/relay.h"
#include "agent/relay/relay_state.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// FlowRelay joins two sockets by two pumps, one coroutine per direction; the
// pumps know nothing of TLS, their Conveyors do. The coroutines and the waits
// on its sockets share it, all on one loop; it lives until the last of them has
// ended.
class FlowRelay : public std::enable_shared_from_this<FlowRelay> {
 public:
  FlowRelay(TcpSocket inner, TcpSocket outer, std::shared_ptr<LiveFlow> flow);
  FlowRelay(TcpSocket inner,
            std::unique_ptr<TlsStream> outer,
            std::shared_ptr<LiveFlow> flow);
  // The destructor resets open sockets: their streams have not ended.
  ~FlowRelay();
  FlowRelay(const FlowRelay &) = delete;
  FlowRelay &operator=(const FlowRelay &) = delete;

  // Import returns a relay that continues the exported one. InvalidArgument:
  // Export did not make this state.
  static absl::StatusOr<std::shared_ptr<FlowRelay>> Import(
      RelayState state, Executor executor, std::shared_ptr<LiveFlow> flow);

  static Task<RelayEnd> Run(std::shared_ptr<FlowRelay> self);

  // End resets both sockets and makes Run return; if `alert` is not 0, it sends
  // that TLS alert to the peer first. Only the first call counts.
  void End(CloseReason reason, std::string detail, uint8_t alert = 0);

  // Export makes Run return with kHandedOver, leaving the sockets open; then
  // TakeState must be the last call.
  void Export();
  RelayState TakeState();

  // See Relay (checkpointed_relay.cc).
  absl::Status Keep();
  RelayOutline Outline();
  absl::Status Enter(const CheckpointPlace &place);

 private:
  // Side is one of the two sockets, and the progress of reading from it.
  struct Side {
    enum class Reading {
      kActive,   // its pump reads, or waits to
      kBlocked,  // its pump cannot write what it read
      kEnded,
    };
    TcpSocket &socket;
    const std::string_view name;
    const CloseReason reset_reason;
    Reading reading = Reading::kActive;
    bool broken = false;  // reset, or given up by TCP
    int error = 0;        // errno, where one was seen
  };

  struct Direction {
    Side &from;
    Side &to;
    std::unique_ptr<Conveyor> conveyor;
    LoadResult load{};  // the last one
    std::unique_ptr<CheckpointedStream> kept{};
  };

  enum class Written { kAll, kBlocked, kBroken };

  static Task<void> Pump(std::shared_ptr<FlowRelay> self, Direction &direction);
  static Task<void> PumpUntilEnd(FlowRelay &self, Direction &direction);
  void Load(Direction &direction);
  bool TakeEnd(Direction &direction);
  static Conveyor &Turn(Direction &direction);
  Written Write(Direction &direction);
  Task<Written> WriteBlocked(Direction &direction);
  Task<void> WaitFor(TcpSocket &socket, TcpSocket::wait_type type);

  void Watch(const std::shared_ptr<FlowRelay> &self, Side &side);
  void OnErrorEvent(const std::shared_ptr<FlowRelay> &self, Side &side);
  bool TakeUrgent(Side &side);
  void Break(Side &side, int error);
  void EndBroken(Side &side);
  void PassOnEnd(Direction &direction);

  absl::Status Recover(const RelayState::Kept &kept);
  absl::Status RecoverOne(Direction &direction, CheckpointPosition position);
  absl::Status RecoverSealed(Direction &direction, CheckpointPosition position);
  absl::Status TakeWhatKernelHas(Direction &direction,
                                 CheckpointPosition &position);
  absl::Status Replay(Direction &direction, const CheckpointPosition &position);
  static void EndAgain(Direction &direction);
  bool IsSealedInKernel(const Direction &direction);
  absl::Status PrepareEntry(Direction &direction, const TrafficKey *key);

  absl::Status Restore(RelayState &state);
  static absl::Status RestoreOne(Direction &direction,
                                 RelayState::Direction &state);
  static RelayState::Direction StateOf(const Direction &direction, bool ended);

  TcpSocket inner_socket_;
  std::unique_ptr<TlsStream> tls_;  // null: plain
  TcpSocket plain_outer_;
  std::shared_ptr<LiveFlow> flow_;
  Side inner_;
  Side outer_;
  Direction sending_;    // inner to outer
  Direction receiving_;  // outer to inner
  Timer ended_;          // cancelled when a pump ends
  int running_ = 0;      // pumps
  bool over_ = false;
  bool exported_ = false;
  bool sent_all_ = false;      // of an exported one: the direction has ended
  bool received_all_ = false;  // likewise
  RelayEnd end_;
};

}  // namespace kith
