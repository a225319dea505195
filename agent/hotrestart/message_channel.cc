// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/message_channel.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

constexpr uint32_t kMagic = 0x6874696b;  // "kith"

// Between two processes of one kernel: the fields as they are in memory.
struct Header {
  uint32_t magic = kMagic;
  Message::Kind kind{};
  uint32_t body = 0;
  uint32_t secrets = 0;
};

constexpr size_t kControlSpace =
    CMSG_SPACE(MessageChannel::kMaxDescriptors * sizeof(int));

absl::Status SocketError(std::string_view call) {
  if (errno == EAGAIN) {
    return absl::DeadlineExceededError(
        absl::StrCat(call, ": the other agent does not answer"));
  }
  return absl::UnavailableError(
      absl::StrCat(call, ": the other agent is gone: ", std::strerror(errno)));
}

void SetTimeout(int fd, int option, std::chrono::milliseconds time) {
  const timeval timeout{.tv_sec = time.count() / 1000,
                        .tv_usec = time.count() % 1000 * 1000};
  (void)setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof(timeout));
}

// Attach puts the descriptors into `control` and `out`.
void Attach(const std::vector<FileDescriptor> &descriptors,
            std::span<char> control,
            msghdr &out) {
  if (descriptors.empty()) {
    return;
  }
  out.msg_control = control.data();
  out.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
  cmsghdr *rights = CMSG_FIRSTHDR(&out);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
  for (size_t i = 0; i < descriptors.size(); ++i) {
    const int fd = descriptors[i].get();
    std::memcpy(CMSG_DATA(rights) + i * sizeof(fd), &fd, sizeof(fd));
  }
}

std::vector<FileDescriptor> Detach(msghdr &in) {
  std::vector<FileDescriptor> descriptors;
  for (cmsghdr *part = CMSG_FIRSTHDR(&in); part != nullptr;
       part = CMSG_NXTHDR(&in, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

std::span<const uint8_t> BytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

}  // namespace

absl::StatusOr<MessageChannel> MessageChannel::Connect(
    const std::string &path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket path ", path, " is too long"));
  }
  path.copy(address.sun_path, path.size());
  FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    return absl::ErrnoToStatus(errno, "socket AF_UNIX");
  }
  if (connect(fd.get(),
              reinterpret_cast<const sockaddr *>(&address),
              sizeof(address)) != 0) {
    return errno == ENOENT || errno == ECONNREFUSED
               ? absl::NotFoundError(absl::StrCat("no agent listens at ", path))
               : absl::ErrnoToStatus(errno, absl::StrCat("connect ", path));
  }
  return MessageChannel(std::move(fd));
}

absl::Status MessageChannel::SendBytes(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return SocketError("send");
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status MessageChannel::Send(const Message &message) {
  if (message.body.size() > kMaxBody ||
      message.descriptors.size() > kMaxDescriptors) {
    return absl::InvalidArgumentError("the message is too large");
  }
  SetTimeout(socket_.get(), SO_SNDTIMEO, std::chrono::seconds(10));
  Header header{
      .kind = message.kind,
      .body = static_cast<uint32_t>(message.body.size()),
      .secrets = static_cast<uint32_t>(message.secrets.bytes().size())};
  iovec piece{&header, sizeof(header)};
  msghdr out{};
  out.msg_iov = &piece;
  out.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, kControlSpace> control{};
  Attach(message.descriptors, control, out);
  // The header is far below the smallest buffer: all of it, or nothing.
  if (sendmsg(socket_.get(), &out, MSG_NOSIGNAL) !=
      static_cast<ssize_t>(sizeof(header))) {
    return SocketError("sendmsg");
  }
  absl::Status sent = SendBytes(BytesOf(message.body));
  return sent.ok() ? SendBytes(message.secrets.bytes()) : sent;
}

absl::Status MessageChannel::ReceiveBytes(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        recv(socket_.get(), bytes.data(), bytes.size(), MSG_WAITALL);
    if (count == 0) {
      return absl::UnavailableError("the other agent is gone");
    }
    if (count < 0) {
      return SocketError("recv");
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status MessageChannel::ReceiveRest(Message &message,
                                         size_t body,
                                         size_t secrets) {
  if (secrets > 0) {
    auto room = Secret::Create(secrets);
    if (!room.ok()) {
      return room.status();
    }
    message.secrets = *std::move(room);
  }
  message.body.resize(body);
  absl::Status received =
      ReceiveBytes({reinterpret_cast<uint8_t *>(message.body.data()), body});
  return received.ok() ? ReceiveBytes(message.secrets.bytes()) : received;
}

absl::StatusOr<Message> MessageChannel::Receive(
    std::chrono::milliseconds patience) {
  SetTimeout(socket_.get(), SO_RCVTIMEO, patience);
  Header header;
  iovec piece{&header, sizeof(header)};
  msghdr in{};
  in.msg_iov = &piece;
  in.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, kControlSpace> control{};
  in.msg_control = control.data();
  in.msg_controllen = control.size();
  const ssize_t count =
      recvmsg(socket_.get(), &in, MSG_WAITALL | MSG_CMSG_CLOEXEC);
  if (count < 0) {
    return SocketError("recvmsg");
  }
  Message message;
  message.descriptors = Detach(in);
  if (count == 0) {
    return absl::UnavailableError("the other agent is gone");
  }
  if (count != static_cast<ssize_t>(sizeof(header)) || header.magic != kMagic ||
      (in.msg_flags & MSG_CTRUNC) != 0 || header.body > kMaxBody ||
      header.secrets > kMaxSecrets) {
    return absl::InvalidArgumentError("that is no message of an agent");
  }
  message.kind = header.kind;
  absl::Status received = ReceiveRest(message, header.body, header.secrets);
  if (!received.ok()) {
    return received;
  }
  return message;
}

absl::StatusOr<Message> MessageChannel::ReceiveKind(
    Message::Kind kind, std::chrono::milliseconds patience) {
  auto message = Receive(patience);
  if (message.ok() && message->kind != kind) {
    return absl::InvalidArgumentError(
        absl::StrCat("message of kind ",
                     static_cast<uint32_t>(message->kind),
                     " instead of ",
                     static_cast<uint32_t>(kind)));
  }
  return message;
}

}  // namespace kith
