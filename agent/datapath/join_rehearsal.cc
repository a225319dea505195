// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/join_rehearsal.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

constexpr std::chrono::seconds kPatience{2};
constexpr size_t kChunk = 64 * 1024;

FileDescriptor NewSocket() {
  return FileDescriptor(
      socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Connects `to`, which is listening; `accepted` becomes the other end.
absl::StatusOr<FileDescriptor> Dial(const FileDescriptor &to,
                                    FileDescriptor &accepted) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  FileDescriptor socket = NewSocket();
  auto *name = reinterpret_cast<sockaddr *>(&address);
  if (getsockname(to.get(), name, &length) != 0 ||
      (connect(socket.get(), name, length) != 0 && errno != EINPROGRESS)) {
    return absl::ErrnoToStatus(errno, "connecting on loopback");
  }
  pollfd event{.fd = to.get(), .events = POLLIN, .revents = 0};
  if (poll(&event, 1, std::chrono::milliseconds(kPatience).count()) != 1) {
    return absl::UnavailableError("loopback does not connect");
  }
  accepted.Reset(
      accept4(to.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!accepted.valid()) {
    return absl::ErrnoToStatus(errno, "accepting on loopback");
  }
  return socket;
}

absl::StatusOr<FileDescriptor> Listen() {
  FileDescriptor socket = NewSocket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(socket.get(),
           reinterpret_cast<sockaddr *>(&address),
           sizeof(address)) != 0 ||
      listen(socket.get(), 1) != 0) {
    return absl::ErrnoToStatus(errno, "listening on loopback");
  }
  return socket;
}

uint8_t ByteAt(uint64_t place) {
  return static_cast<uint8_t>(place * 167 + (place >> 8) + (place >> 16));
}

}  // namespace

absl::StatusOr<ScratchFlow> ScratchFlow::Open() {
  auto listener = Listen();
  if (!listener.ok()) {
    return listener.status();
  }
  ScratchFlow flow;
  auto client = Dial(*listener, flow.client_side);
  if (!client.ok()) {
    return client.status();
  }
  auto server_side = Dial(*listener, flow.server);
  if (!server_side.ok()) {
    return server_side.status();
  }
  flow.client = *std::move(client);
  flow.server_side = *std::move(server_side);
  return flow;
}

Rehearsal::Rehearsal(const ScratchFlow &flow,
                     FlowJoin &join,
                     FlowJoin::Sender sender)
    : join_(join),
      sender_(sender),
      sender_fd_(sender == FlowJoin::Sender::kClient ? flow.client.get()
                                                     : flow.server.get()),
      agent_in_(sender == FlowJoin::Sender::kClient ? flow.client_side.get()
                                                    : flow.server_side.get()),
      agent_out_(sender == FlowJoin::Sender::kClient ? flow.server_side.get()
                                                     : flow.client_side.get()),
      receiver_fd_(sender == FlowJoin::Sender::kClient ? flow.server.get()
                                                       : flow.client.get()) {}

absl::Status Rehearsal::Send(uint64_t bytes) {
  std::vector<uint8_t> chunk;
  while (bytes > 0) {
    chunk.resize(std::min<uint64_t>(bytes, kChunk));
    for (size_t i = 0; i < chunk.size(); ++i) {
      chunk[i] = ByteAt(sent_ + i);
    }
    const ssize_t count =
        send(sender_fd_, chunk.data(), chunk.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return errno == EAGAIN ? absl::OkStatus()
                             : absl::ErrnoToStatus(errno, "send");
    }
    sent_ += static_cast<uint64_t>(count);
    bytes -= static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

// FIONREAD would not tell, see ExpectCounted.
bool Rehearsal::agent_has_bytes() const {
  char byte = 0;
  return recv(agent_in_, &byte, sizeof(byte), MSG_PEEK) > 0;
}

absl::Status Rehearsal::ExpectCounted() {
  if (auto sent = Send(1); !sent.ok()) {
    return sent;
  }
  char byte = 0;
  while (recv(receiver_fd_, &byte, sizeof(byte), MSG_PEEK) < 0) {
    if (auto ready = Await(receiver_fd_); !ready.ok()) {
      return ready;
    }
    if (auto relayed = Relay(); !relayed.ok()) {
      return relayed;
    }
  }
  int count = 0;
  if (ioctl(receiver_fd_, FIONREAD, &count) != 0 || count != 1) {
    return absl::UnavailableError(
        "on this kernel FIONREAD does not count what a socket in a sockmap has "
        "received by TCP, and programs rely on it");
  }
  return Settle();
}

absl::Status Rehearsal::Relay() {
  if (held_.empty() && !ended_) {
    held_.resize(kChunk);
    const ssize_t count = recv(agent_in_, held_.data(), held_.size(), 0);
    if (count < 0 && errno != EAGAIN) {
      return absl::ErrnoToStatus(errno, "recv of the agent");
    }
    ended_ = count == 0;
    held_.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    relayed_ += held_.size();
    if (ended_ && shutdown(agent_out_, SHUT_WR) != 0) {
      return absl::ErrnoToStatus(errno, "shutdown of the agent");
    }
  }
  if (!held_.empty()) {
    const ssize_t count =
        send(agent_out_, held_.data(), held_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) {
      return absl::ErrnoToStatus(errno, "send of the agent");
    }
    held_.erase(held_.begin(), held_.begin() + std::max<ssize_t>(count, 0));
  }
  if (held_.empty()) {
    join_.SetDelivered(sender_, relayed_);
  }
  return absl::OkStatus();
}

absl::Status Rehearsal::Receive() {
  std::vector<uint8_t> chunk(kChunk);
  const ssize_t count = recv(receiver_fd_, chunk.data(), chunk.size(), 0);
  if (count < 0) {
    return errno == EAGAIN ? absl::OkStatus()
                           : absl::ErrnoToStatus(errno, "recv");
  }
  end_received_ = count == 0;
  for (ssize_t i = 0; i < count; ++i, ++received_) {
    if (chunk[static_cast<size_t>(i)] != ByteAt(received_)) {
      return absl::DataLossError(absl::StrCat(
          "byte ", received_, " of ", sent_, " is not the one that was sent"));
    }
  }
  return absl::OkStatus();
}

absl::Status Rehearsal::Await(int fd) const {
  pollfd events[] = {
      {.fd = fd, .events = POLLIN, .revents = 0},
      {.fd = held_.empty() ? agent_in_ : agent_out_,
       .events = static_cast<short>(held_.empty() ? POLLIN : POLLOUT),
       .revents = 0}};
  // The agent's end of a stream that has ended would be readable for ever.
  if (poll(events,
           ended_ ? 1 : 2,
           std::chrono::milliseconds(kPatience).count()) > 0) {
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat(received_,
                   " of ",
                   sent_,
                   " bytes came, of which the agent saw ",
                   relayed_));
}

absl::Status Rehearsal::Settle() {
  for (;;) {
    if (auto relayed = Relay(); !relayed.ok()) {
      return relayed;
    }
    if (auto received = Receive(); !received.ok()) {
      return received;
    }
    if (received_ > sent_ || (end_received_ && received_ < sent_)) {
      return absl::DataLossError(
          absl::StrCat(received_, " bytes came of ", sent_));
    }
    if (received_ == sent_ && held_.empty()) {
      return absl::OkStatus();
    }
    if (auto ready = Await(receiver_fd_); !ready.ok()) {
      return ready;
    }
  }
}

absl::Status Rehearsal::End() {
  if (shutdown(sender_fd_, SHUT_WR) != 0) {
    return absl::ErrnoToStatus(errno, "shutdown");
  }
  while (!end_received_) {
    if (auto ready = Await(receiver_fd_); !ready.ok()) {
      return ready;
    }
    if (auto relayed = Relay(); !relayed.ok()) {
      return relayed;
    }
    if (auto received = Receive(); !received.ok()) {
      return received;
    }
  }
  return received_ == sent_ ? absl::OkStatus()
                            : absl::DataLossError("the end came too early");
}

}  // namespace kith
