// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/parent.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "absl/strings/str_cat.h"

#include "agent/checkpoint/takeover.pb.h"
#include "agent/federation/web_endpoints.h"
#include "agent/flow/resumed_flow.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// The next agent loads its hooks and gets its first SVIDs meanwhile.
constexpr milliseconds kPreparation{60'000};
constexpr milliseconds kStep{10'000};
// Connections that were steered here before the swap are still accepted: those
// from afar need a round trip until they are established.
constexpr milliseconds kSettle{1'000};
// Flows that are not open yet are handed over when they are: a handshake may
// take ten seconds.
constexpr milliseconds kPatience{12'000};

bool IsTrusted(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == 0 || peer.uid == geteuid());
}

// More than this agent opens until it ends.
constexpr uint64_t kSpareIds = 1'000'000;

}  // namespace

std::string HotRestartParent::SocketPath(const Config &config) {
  return config.runtime_dir + "/takeover.sock";
}

HotRestartParent::HotRestartParent(AgentStages &stages,
                                   Acceptors &acceptors,
                                   UnixListener listener)
    : stages_(stages),
      acceptors_(acceptors),
      listener_(std::move(listener)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

HotRestartParent::~HotRestartParent() {
  (void)eventfd_write(stop_.get(), 1);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (served_ >= 0) {
      (void)shutdown(served_, SHUT_RDWR);
    }
  }
  thread_.join();
}

absl::StatusOr<std::unique_ptr<HotRestartParent>> HotRestartParent::Start(
    AgentStages &stages, Acceptors &acceptors, bool replace) {
  auto listener = UnixListener::Create(SocketPath(stages.config),
                                       {.mode = 0600, .replace = replace});
  if (!listener.ok()) {
    return listener.status();
  }
  return std::unique_ptr<HotRestartParent>(
      new HotRestartParent(stages, acceptors, *std::move(listener)));
}

void HotRestartParent::Run() {
  for (;;) {
    std::array<pollfd, 2> events{
        {{listener_.fd(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(events.data(), events.size(), -1) < 0 && errno != EINTR) {
      return;
    }
    if (events[1].revents != 0) {
      return;
    }
    FileDescriptor socket(
        accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (socket.valid() && IsTrusted(socket.get()) && ServeOne(socket)) {
      (void)kill(getpid(), SIGTERM);  // agent.cc waits for it
      return;
    }
  }
}

// The end of this object must not wait for the other agent.
bool HotRestartParent::ServeOne(FileDescriptor &socket) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) {
      return false;
    }
    served_ = socket.get();
  }
  MessageChannel channel(std::move(socket));
  const bool handed_over = Serve(channel);
  std::lock_guard lock(mutex_);
  served_ = -1;
  return handed_over && !stopping_;
}

bool HotRestartParent::Serve(MessageChannel &channel) {
  if (auto agreed = Agree(channel); !agreed.ok()) {
    Log(LogLevel::kWarning, "no takeover", {{"error", agreed.message()}});
    return false;
  }
  Log(LogLevel::kInfo, "audit", {{"change", "takeover by another agent"}});
  if (auto ready = channel.ReceiveKind(Message::Kind::kSwapping, kPreparation);
      !ready.ok()) {
    CarryOn(ready.status(), false);
    return false;
  }
  if (auto swapped =
          channel.ReceiveKind(Message::Kind::kSteering, kPreparation);
      !swapped.ok()) {
    CarryOn(swapped.status(), true);
    return false;
  }
  if (auto sent = SendFlows(channel); !sent.ok()) {
    CarryOn(sent, true);
    return false;
  }
  Log(LogLevel::kInfo, "handed over", {{"flows", handed_over_}});
  return true;
}

// Agree answers the first message; the import goes with the answer.
absl::Status HotRestartParent::Agree(MessageChannel &channel) {
  auto hello = channel.ReceiveKind(Message::Kind::kHello, kStep);
  if (!hello.ok()) {
    return hello.status();
  }
  takeover::Hello request;
  takeover::Welcome answer;
  Message welcome{.kind = Message::Kind::kWelcome};
  if (!request.ParseFromString(hello->body) || request.version() != kVersion) {
    answer.set_refusal(absl::StrCat(
        "takeover protocol ", request.version(), " is not ", kVersion));
  } else if (request.cgroup() != stages_.cgroup) {
    answer.set_refusal(absl::StrCat("the running agent manages ",
                                    stages_.cgroup,
                                    ", not ",
                                    request.cgroup()));
  } else if (auto claim = stages_.datapath->Export(); claim.ok()) {
    welcome.descriptors = *std::move(claim);
    answer.set_last_flow_id(stages_.flows->last_id() + kSpareIds);
  } else {
    answer.set_refusal(std::string(claim.status().message()));
  }
  welcome.body = answer.SerializeAsString();
  absl::Status sent = channel.Send(welcome);
  if (!answer.refusal().empty()) {
    return absl::FailedPreconditionError(answer.refusal());
  }
  if (!sent.ok()) {
    CarryOn(sent, false);
  }
  return sent;
}

absl::Status HotRestartParent::SendFlow(MessageChannel &channel,
                                        StreamCheckpoint flow) {
  auto message = Pack(flow);
  if (!message.ok()) {
    ResumeFlow(stages_, std::move(flow));
    return message.status();
  }
  absl::Status sent = channel.Send(*message);
  if (sent.ok()) {
    ++handed_over_;
    return sent;
  }
  // What was not sent whole, the other side does not have.
  if (auto back = Unpack(*std::move(message)); back.ok()) {
    ResumeFlow(stages_, *std::move(back));
  }
  return sent;
}

absl::Status HotRestartParent::SendQueued(MessageChannel &channel,
                                          milliseconds patience) {
  while (auto flow = stages_.exported_flows.Take(patience)) {
    if (auto sent = SendFlow(channel, *std::move(flow)); !sent.ok()) {
      return sent;
    }
  }
  return absl::OkStatus();
}

absl::Status HotRestartParent::SendFlows(MessageChannel &channel) {
  const auto began = steady_clock::now();
  bool accepting = true;
  stages_.exported_flows.PassTo(nullptr);
  if (stages_.same_node != nullptr) {
    stages_.same_node->LetGo();
  }
  while (accepting || (stages_.flows->open_count() > 0 &&
                       steady_clock::now() - began < kPatience)) {
    (void)stages_.flows->AbortWhere([](const FlowRecord &) { return true; },
                                    CloseReason::kHandedOver);
    if (auto sent = SendQueued(channel, milliseconds(20)); !sent.ok()) {
      return sent;
    }
    if (accepting && steady_clock::now() - began > kSettle) {
      acceptors_.Close();
      stages_.loops.Drain();
      accepting = false;
    }
  }
  stages_.loops.Drain();  // the last one has closed, and is on its way
  if (auto sent = SendQueued(channel, milliseconds(0)); !sent.ok()) {
    return sent;
  }
  stages_.web_servers.clear();  // the next agent binds their ports
  takeover::Done done;
  done.set_handed_over(handed_over_);
  done.set_left(stages_.flows->open_count());
  auto sent = channel.Send({.kind = Message::Kind::kDone,
                            .body = done.SerializeAsString(),
                            .secrets = {},
                            .descriptors = {}});
  return sent.ok() ? channel.ReceiveKind(Message::Kind::kTaken, kStep).status()
                   : sent;
}

// CarryOn makes this agent the one that runs again.
void HotRestartParent::CarryOn(const absl::Status &why, bool lost) {
  // Also those that were not open yet when they were asked for.
  stages_.exported_flows.PassTo([&stages = stages_](StreamCheckpoint flow) {
    ResumeFlow(stages, std::move(flow));
  });
  while (auto flow = stages_.exported_flows.Take(milliseconds(0))) {
    ResumeFlow(stages_, *std::move(flow));
  }
  absl::Status back = stages_.datapath->Rollback(lost);
  if (stages_.same_node != nullptr) {
    stages_.same_node->Rollback();
  }
  if (stages_.web_servers.empty()) {
    back.Update(StartWebServers(stages_));
  }
  Log(LogLevel::kError,
      "the takeover has failed: this agent carries on",
      {{"error", why.message()}});
  if (!back.ok()) {
    Log(LogLevel::kError,
        "new flows are refused: start another agent",
        {{"error", back.message()}});
  }
}

}  // namespace kith
