// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include <asio/thread_pool.hpp>

#include "agent/datapath/flow_join.h"
#include "agent/flow/flow_table.h"

namespace kith {

// JoinDriver brings a relayed same-node flow past the agent: it enters each
// application as a sender as soon as its socket can be, and takes out one that
// was made blocking again. It tells both rows of the flow. Everything may stay
// with the relay: then it says why.
class JoinDriver : public std::enable_shared_from_this<JoinDriver> {
 public:
  using Sender = FlowJoin::Sender;

  // A socket that blocks is looked at again after 1, 2, 4... exchanges: many
  // are made non-blocking right after accept(). One that still blocks then
  // does so on purpose.
  static constexpr int kMaxAttempts = 4;

  // `pool` runs what blocks; it and the flows' table outlive this.
  JoinDriver(asio::thread_pool &pool,
             std::unique_ptr<FlowJoin> join,
             std::shared_ptr<LiveFlow> outbound,
             std::shared_ptr<LiveFlow> inbound)
      : pool_(pool),
        join_(std::move(join)),
        rows_{std::move(outbound), std::move(inbound)} {}

  // OnIdle is for the relay: the agent has carried `carried` bytes of the
  // sender, and has none left. On the flow's loop.
  void OnIdle(Sender sender, uint64_t carried);

  uint64_t Redirected(Sender sender) const { return join_->Redirected(sender); }

 private:
  enum class State { kOut, kChanging, kIn, kGivenUp };
  struct Direction {
    std::atomic<State> state{State::kOut};
    int attempts = 0;
    uint64_t idle = 0;       // moments so far, on the loop
    uint64_t next_look = 1;  // at this moment
  };

  Direction &At(Sender sender) {
    return directions_[static_cast<size_t>(sender)];
  }
  void Enter(Sender sender);
  void Leave(Sender sender);
  void Tell(Sender sender, FlowPath path, const absl::Status &why);

  asio::thread_pool &pool_;
  const std::unique_ptr<FlowJoin> join_;
  const std::array<std::shared_ptr<LiveFlow>, 2> rows_;
  std::array<Direction, 2> directions_;
};

}  // namespace kith
