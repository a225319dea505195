// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "agent/checkpoint/takeover.pb.h"
#include "agent/hotrestart/flow_message.h"
#include "agent/hotrestart/parent.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

// Longer than the parent waits for its last flows.
constexpr std::chrono::milliseconds kMostWait{30'000};

// Time for a process to end after its sockets closed, in milliseconds.
constexpr int kDying = 1'000;

uint32_t PeerPid(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
             ? static_cast<uint32_t>(peer.pid)
             : 0;
}

Message Bare(Message::Kind kind) {
  return {.kind = kind, .body = {}, .secrets = {}, .descriptors = {}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<HotRestartChild>> HotRestartChild::Ask(
    const std::string &path, const std::string &cgroup) {
  auto channel = MessageChannel::Connect(path);
  if (!channel.ok()) {
    return absl::IsNotFound(channel.status())
               ? absl::StatusOr<std::unique_ptr<HotRestartChild>>(nullptr)
               : channel.status();
  }
  std::unique_ptr<HotRestartChild> take_over(
      new HotRestartChild(*std::move(channel)));
  takeover::Hello hello;
  hello.set_version(HotRestartParent::kVersion);
  hello.set_cgroup(cgroup);
  Message request = Bare(Message::Kind::kHello);
  request.body = hello.SerializeAsString();
  if (auto sent = take_over->channel_.Send(request); !sent.ok()) {
    return sent;
  }
  auto welcome =
      take_over->channel_.ReceiveKind(Message::Kind::kWelcome, kMostWait);
  takeover::Welcome answer;
  if (!welcome.ok() || !answer.ParseFromString(welcome->body)) {
    return welcome.ok() ? absl::InternalError("no answer of an agent")
                        : welcome.status();
  }
  if (!answer.refusal().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the running agent refuses the takeover: ", answer.refusal()));
  }
  take_over->import_ = {.claim = std::move(welcome->descriptors),
                        .parent = PeerPid(take_over->channel_.fd())};
  take_over->last_flow_id_ = answer.last_flow_id();
  take_over->other_.Reset(
      static_cast<int>(syscall(SYS_pidfd_open, take_over->import_.parent, 0)));
  return take_over;
}

FileDescriptor HotRestartChild::Parent() const {
  return FileDescriptor(fcntl(other_.get(), F_DUPFD_CLOEXEC, 0));
}

absl::Status HotRestartChild::BeginSwap() {
  return channel_.Send(Bare(Message::Kind::kSwapping));
}

// A closed channel may mean that the parent carries on.
absl::Status HotRestartChild::UnlessDead(absl::Status error) {
  pollfd ended{.fd = other_.get(), .events = POLLIN, .revents = 0};
  other_is_dead_ = other_.valid() && poll(&ended, 1, kDying) == 1;
  if (!other_is_dead_) {
    return error;
  }
  Log(LogLevel::kError,
      "the other agent has died: the flows that it had are lost",
      {{"error", error.message()}});
  return absl::OkStatus();
}

absl::Status HotRestartChild::ReceiveFlows(
    const std::function<void(StreamCheckpoint)> &resume,
    const std::function<void()> &drain) {
  absl::Status sent = channel_.Send(Bare(Message::Kind::kSteering));
  if (!sent.ok()) {
    return UnlessDead(sent);
  }
  for (uint64_t adopted = 0;; ++adopted) {
    auto message = channel_.Receive(kMostWait);
    if (!message.ok()) {
      return UnlessDead(message.status());
    }
    if (message->kind == Message::Kind::kDone) {
      drain();  // each flow has its entry now
      takeover::Done done;
      (void)done.ParseFromString(message->body);
      Log(LogLevel::kInfo,
          "took over",
          {{"flows", adopted}, {"left", done.left()}});
      return absl::OkStatus();
    }
    auto flow = Unpack(*std::move(message));
    if (flow.ok()) {
      resume(*std::move(flow));
    } else {
      Log(LogLevel::kError,
          "a flow was lost at the takeover",
          {{"error", flow.status().message()}});
    }
  }
}

absl::Status HotRestartChild::Finish() {
  return other_is_dead_ ? absl::OkStatus()
                        : channel_.Send(Bare(Message::Kind::kTaken));
}

}  // namespace kith
