// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/parent.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

#include "agent/checkpoint/takeover.pb.h"
#include "agent/hotrestart/flow_message.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// The child loads its hooks and gets its first SVIDs in this time.
constexpr milliseconds kPreparation{60'000};
constexpr milliseconds kStep{10'000};
// Connections that were steered here before the swap are still accepted:
// distant ones need a round trip until they are established.
constexpr milliseconds kSettle{1'000};
// Flows that are not open yet are exported when they are: a handshake may take
// ten seconds.
constexpr milliseconds kMostWait{12'000};

bool IsTrusted(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == 0 || peer.uid == geteuid());
}

// More flows than this agent opens until it ends.
constexpr uint64_t kSpareIds = 1'000'000;

}  // namespace

std::string HotRestartPath(const std::string &runtime_dir) {
  return runtime_dir + "/takeover.sock";
}

HotRestartParent::HotRestartParent(Parts parts, UnixListener listener)
    : parts_(std::move(parts)),
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
    const std::string &path, Parts parts, bool replace) {
  CHECK(parts.export_hooks && parts.rollback_hooks && parts.export_direct &&
        parts.resume && parts.stop_accepting && parts.drain &&
        parts.close_ports && parts.open_ports && parts.done);
  auto listener =
      UnixListener::Create(path, {.mode = 0600, .replace = replace});
  if (!listener.ok()) {
    return listener.status();
  }
  return std::unique_ptr<HotRestartParent>(
      new HotRestartParent(std::move(parts), *std::move(listener)));
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
      parts_.done();
      return;
    }
  }
}

// The destruction of this object must not wait for the child.
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
    Rollback(ready.status(), false);
    return false;
  }
  if (auto swapped =
          channel.ReceiveKind(Message::Kind::kSteering, kPreparation);
      !swapped.ok()) {
    Rollback(swapped.status(), true);
    return false;
  }
  if (auto sent = SendFlows(channel); !sent.ok()) {
    Rollback(sent, true);
    return false;
  }
  Log(LogLevel::kInfo, "handed over", {{"flows", sent_}});
  return true;
}

// Agree answers the first message with the import.
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
  } else if (request.cgroup() != parts_.cgroup) {
    answer.set_refusal(absl::StrCat("the running agent manages ",
                                    parts_.cgroup,
                                    ", not ",
                                    request.cgroup()));
  } else if (auto claim = parts_.export_hooks(); claim.ok()) {
    welcome.descriptors = *std::move(claim);
    answer.set_last_flow_id(parts_.flows.last_id() + kSpareIds);
  } else {
    answer.set_refusal(std::string(claim.status().message()));
  }
  welcome.body = answer.SerializeAsString();
  absl::Status sent = channel.Send(welcome);
  if (!answer.refusal().empty()) {
    return absl::FailedPreconditionError(answer.refusal());
  }
  if (!sent.ok()) {
    Rollback(sent, false);
  }
  return sent;
}

absl::Status HotRestartParent::SendFlow(MessageChannel &channel,
                                        StreamCheckpoint flow) {
  auto message = Pack(flow);
  if (!message.ok()) {
    parts_.resume(std::move(flow));
    return message.status();
  }
  absl::Status sent = channel.Send(*message);
  if (sent.ok()) {
    ++sent_;
    return sent;
  }
  // The child does not have a message that was not sent whole.
  if (auto back = Unpack(*std::move(message)); back.ok()) {
    parts_.resume(*std::move(back));
  }
  return sent;
}

absl::Status HotRestartParent::SendQueued(MessageChannel &channel,
                                          milliseconds wait) {
  while (auto flow = parts_.exported.Take(wait)) {
    if (auto sent = SendFlow(channel, *std::move(flow)); !sent.ok()) {
      return sent;
    }
  }
  return absl::OkStatus();
}

absl::Status HotRestartParent::SendFlows(MessageChannel &channel) {
  const auto began = steady_clock::now();
  bool accepting = true;
  parts_.exported.PassTo(nullptr);
  parts_.export_direct(true);
  while (accepting || (parts_.flows.open_count() > 0 &&
                       steady_clock::now() - began < kMostWait)) {
    (void)parts_.flows.AbortWhere([](const FlowRecord &) { return true; },
                                  CloseReason::kHandedOver);
    if (auto sent = SendQueued(channel, milliseconds(20)); !sent.ok()) {
      return sent;
    }
    if (accepting && steady_clock::now() - began > kSettle) {
      parts_.stop_accepting();
      accepting = false;
    }
  }
  parts_.drain();  // the last flow has closed and is being sent
  if (auto sent = SendQueued(channel, milliseconds(0)); !sent.ok()) {
    return sent;
  }
  parts_.close_ports();
  takeover::Done done;
  done.set_handed_over(sent_);
  done.set_left(parts_.flows.open_count());
  auto sent = channel.Send({.kind = Message::Kind::kDone,
                            .body = done.SerializeAsString(),
                            .secrets = {},
                            .descriptors = {}});
  return sent.ok() ? channel.ReceiveKind(Message::Kind::kTaken, kStep).status()
                   : sent;
}

// Rollback makes this agent the running one again.
void HotRestartParent::Rollback(const absl::Status &why, bool lost) {
  // Includes flows that were not open yet when Export was called.
  parts_.exported.PassTo(parts_.resume);
  while (auto flow = parts_.exported.Take(milliseconds(0))) {
    parts_.resume(*std::move(flow));
  }
  absl::Status back = parts_.rollback_hooks(lost);
  parts_.export_direct(false);
  back.Update(parts_.open_ports());
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
