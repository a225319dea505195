// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/join_proof.h"

#include "absl/strings/str_cat.h"

#include "agent/datapath/datapath.h"
#include "agent/datapath/join_rehearsal.h"

namespace kith {
namespace {

constexpr uint64_t kMessage = 5'000;
// More than the kernel queues between two sockets: its largest buffers for
// sending (twice 4 MiB) and receiving (twice 6 MiB) by default, and room.
constexpr uint64_t kTooMuch = uint64_t{64} << 20;

using Sender = FlowJoin::Sender;

// Expect that the next message goes past the agent.
absl::Status ExpectRedirected(Rehearsal &direction) {
  const uint64_t relayed = direction.relayed();
  const uint64_t redirected = direction.redirected();
  absl::Status step = direction.Send(kMessage);
  if (step.ok()) {
    step = direction.Settle();
  }
  if (step.ok() && (direction.relayed() != relayed ||
                    direction.redirected() != redirected + kMessage)) {
    return absl::UnavailableError(
        absl::StrCat("the agent saw ",
                     direction.relayed() - relayed,
                     " bytes that should have gone past it"));
  }
  return step;
}

// Nobody reads: sooner or later the bytes must come to the agent, and stop.
absl::Status FillUp(Rehearsal &direction) {
  while (!direction.agent_has_bytes()) {
    if (auto sent = direction.Send(kMessage); !sent.ok()) {
      return sent;
    }
    if (direction.sent() > kTooMuch) {
      return absl::ResourceExhaustedError("a slow reader stops nobody");
    }
  }
  const uint64_t before = direction.redirected();
  if (auto sent = direction.Send(kMessage); !sent.ok()) {
    return sent;
  }
  if (direction.redirected() != before) {
    return absl::DataLossError("bytes overtake those that the agent has");
  }
  return direction.Settle();
}

absl::Status ProveDirection(Rehearsal &direction,
                            FlowJoin &join,
                            Sender sender) {
  absl::Status step = direction.Send(kMessage);  // by way of the agent
  if (step.ok()) {
    step = direction.Settle();
  }
  if (step.ok()) {
    step = join.Enter(sender);
  }
  if (step.ok()) {
    step = ExpectRedirected(direction);
  }
  if (step.ok()) {
    step = FillUp(direction);
  }
  if (step.ok()) {
    step = ExpectRedirected(direction);
  }
  return step;
}

}  // namespace

absl::Status ProveJoin(JoinTable &table) {
  auto flow = ScratchFlow::Open();
  if (!flow.ok()) {
    return flow.status();
  }
  auto join = table.Open(0,
                         SockmapFd::OfScratch(flow->client_side),
                         SockmapFd::OfScratch(flow->server_side),
                         [](uint64_t, const std::function<void()> &task) {
                           task();
                           return absl::OkStatus();
                         });
  if (!join.ok()) {
    return join.status();
  }
  Rehearsal sending(*flow, **join, Sender::kClient);
  Rehearsal answering(*flow, **join, Sender::kServer);
  absl::Status proven = ProveDirection(sending, **join, Sender::kClient);
  if (proven.ok()) {
    proven = ProveDirection(answering, **join, Sender::kServer);
  }
  for (Rehearsal *direction : {&sending, &answering}) {
    if (proven.ok()) {
      proven = direction->ExpectCounted();
    }
  }
  if (proven.ok()) {
    proven = sending.End();
  }
  if (proven.ok()) {  // half-closed
    proven = ExpectRedirected(answering);
  }
  if (proven.ok()) {
    proven = answering.End();
  }
  return proven;
}

absl::Status ProveSameNodeJoin() {
  auto table = JoinTable::Load();
  return table.ok() ? ProveJoin(**table) : table.status();
}

}  // namespace kith
