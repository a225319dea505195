// SPDX-License-Identifier: Apache-2.0
#include "agent/join_driver.h"

#include <string>

#include "absl/strings/str_cat.h"
#include <asio/post.hpp>

namespace kith {

void JoinDriver::OnIdle(Sender sender, uint64_t carried) {
  join_->SetDelivered(sender, carried);
  Direction &direction = At(sender);
  ++direction.idle;
  const State state = direction.state;
  if (state == State::kOut && direction.idle >= direction.next_look) {
    direction.next_look *= 2;
    direction.state = State::kChanging;
    asio::post(pool_,
               [self = shared_from_this(), sender] { self->Enter(sender); });
  } else if (state == State::kIn && join_->BlocksNow(sender)) {
    direction.state = State::kChanging;
    asio::post(pool_,
               [self = shared_from_this(), sender] { self->Leave(sender); });
  }
}

void JoinDriver::Enter(Sender sender) {
  Direction &direction = At(sender);
  const absl::Status entered = join_->Enter(sender);
  ++direction.attempts;
  if (entered.ok()) {
    direction.state = State::kIn;
    Tell(sender, FlowPath::kSockmap, entered);
  } else if (absl::IsFailedPrecondition(entered) &&
             direction.attempts < kMaxAttempts) {
    direction.state = State::kOut;
  } else {
    direction.state = State::kGivenUp;
    Tell(sender, FlowPath::kUserspace, entered);
  }
}

void JoinDriver::Leave(Sender sender) {
  join_->Leave(sender);
  At(sender).state = State::kGivenUp;
  Tell(sender,
       FlowPath::kUserspace,
       absl::FailedPreconditionError("the socket was made blocking"));
}

// A flow is on the path of its faster direction.
void JoinDriver::Tell(Sender sender, FlowPath path, const absl::Status &why) {
  std::string detail =
      absl::StrCat(path == FlowPath::kSockmap ? "sockmap" : "userspace",
                   ": what the ",
                   sender == Sender::kClient ? "client" : "server",
                   " sends");
  if (!why.ok()) {
    absl::StrAppend(&detail, ": ", why.message());
  }
  const Sender other =
      sender == Sender::kClient ? Sender::kServer : Sender::kClient;
  const bool joined =
      path == FlowPath::kSockmap || At(other).state == State::kIn;
  for (const auto &row : rows_) {
    row->Update(
        [joined](FlowRecord &record) {
          record.path = joined ? FlowPath::kSockmap : FlowPath::kUserspace;
        },
        "path",
        detail);
  }
}

}  // namespace kith
