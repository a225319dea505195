// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/socket_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace kith {
namespace {

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

// One answer: a socket with its tcp_info (some 300 bytes), or an error.
using Answer = std::array<char, 4096>;

// Index of lo in every namespace (include/net/net_namespace.h). A socket that
// is bound to lo (SO_BINDTODEVICE) is found under this index only.
constexpr uint32_t kLoopbackIndex = 1;

// From include/net/tcp_states.h.
enum TcpState : uint8_t {
  kFinWait2 = 5,
  kTimeWait = 6,
  kCloseWait = 8,
  kLastAck = 9,
  kClosing = 11,
};

void Write(const Endpoint &endpoint, bool v4, __be32 (&out)[4], __be16 &port) {
  const size_t skipped = v4 ? 12 : 0;  // of a mapped address
  std::memcpy(out,
              endpoint.address.data() + skipped,
              endpoint.address.size() - skipped);
  port = htons(endpoint.port);
}

Request RequestFor(const SocketName &name, uint16_t type, uint16_t flags) {
  const bool v4 = name.remote.IsV4();
  Request request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  inet_diag_req_v2 &body = request.body;
  body.sdiag_family = v4 ? AF_INET : AF_INET6;
  body.sdiag_protocol = IPPROTO_TCP;
  body.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  body.idiag_states = ~0U;
  Write(name.local, v4, body.id.idiag_src, body.id.idiag_sport);
  Write(name.remote, v4, body.id.idiag_dst, body.id.idiag_dport);
  body.id.idiag_if = kLoopbackIndex;
  body.id.idiag_cookie[0] = static_cast<uint32_t>(name.cookie);
  body.id.idiag_cookie[1] = static_cast<uint32_t>(name.cookie >> 32);
  return request;
}

absl::Status ErrorOf(int error) {
  switch (error) {
    case 0:
      return absl::OkStatus();
    case ENOENT:
    case ESTALE:  // another socket has the addresses now
      return absl::NotFoundError("no such socket");
    case EOPNOTSUPP:
      return absl::UnimplementedError(
          "the kernel cannot end sockets (CONFIG_INET_DIAG_DESTROY)");
    default:
      return absl::ErrnoToStatus(error, "sock_diag");
  }
}

// Ask returns the message that answers the request, which points into `answer`.
absl::StatusOr<const nlmsghdr *> Ask(int socket,
                                     const Request &request,
                                     Answer &answer) {
  if (send(socket, &request, sizeof(request), 0) < 0) {
    return absl::ErrnoToStatus(errno, "asking sock_diag");
  }
  for (;;) {
    const ssize_t got = recv(socket, answer.data(), answer.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) {
      return absl::ErrnoToStatus(got < 0 ? errno : EBADMSG, "sock_diag");
    }
    const auto *header = reinterpret_cast<const nlmsghdr *>(answer.data());
    if (!NLMSG_OK(header, static_cast<uint32_t>(got))) {
      return absl::ErrnoToStatus(EBADMSG, "sock_diag");
    }
    if (header->nlmsg_seq == request.header.nlmsg_seq) {
      return header;
    }
  }
}

absl::Status StatusOf(const nlmsghdr *message) {
  return message->nlmsg_type != NLMSG_ERROR
             ? absl::OkStatus()
             : ErrorOf(
                   -static_cast<const nlmsgerr *>(NLMSG_DATA(message))->error);
}

// The kernel also counts one byte each for a SYN (of a socket that connected)
// and a FIN (tcp_snd_una_update(), tcp_fin()).
DirectBytes BytesOf(uint8_t state, const tcp_info &info) {
  const bool fin_acknowledged = state == kFinWait2 || state == kTimeWait;
  const bool fin_received = state == kCloseWait || state == kLastAck ||
                            state == kClosing || state == kTimeWait;
  const uint64_t marks = 1 + (fin_acknowledged ? 1 : 0);
  const uint64_t acked = info.tcpi_bytes_acked;
  const uint64_t received = info.tcpi_bytes_received;
  return {acked - std::min(acked, marks),
          received - std::min<uint64_t>(received, fin_received ? 1 : 0)};
}

absl::StatusOr<DirectBytes> ReadBytes(const nlmsghdr *message) {
  const auto *found = static_cast<const inet_diag_msg *>(NLMSG_DATA(message));
  auto left =
      static_cast<int>(message->nlmsg_len - NLMSG_LENGTH(sizeof(*found)));
  const auto *attribute = reinterpret_cast<const rtattr *>(found + 1);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type == INET_DIAG_INFO) {
      tcp_info info{};  // of the kernel: shorter or longer
      std::memcpy(&info,
                  RTA_DATA(attribute),
                  std::min<size_t>(sizeof(info), RTA_PAYLOAD(attribute)));
      return BytesOf(found->idiag_state, info);
    }
  }
  return absl::NotFoundError("no such connection any more");
}

}  // namespace

absl::StatusOr<SocketDiag> SocketDiag::Open() {
  FileDescriptor socket(
      ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket.valid()) {
    return absl::ErrnoToStatus(errno, "opening sock_diag");
  }
  return SocketDiag(std::move(socket));
}

absl::StatusOr<DirectBytes> SocketDiag::Count(const SocketName &name) {
  Request request = RequestFor(name, SOCK_DIAG_BY_FAMILY, 0);
  request.header.nlmsg_seq = ++sequence_;
  alignas(nlmsghdr) Answer answer;
  auto message = Ask(socket_.get(), request, answer);
  if (!message.ok()) {
    return message.status();
  }
  if (absl::Status status = StatusOf(*message); !status.ok()) {
    return status;
  }
  return ReadBytes(*message);
}

absl::Status SocketDiag::Destroy(const SocketName &name) {
  Request request = RequestFor(name, SOCK_DESTROY, NLM_F_ACK);
  request.header.nlmsg_seq = ++sequence_;
  alignas(nlmsghdr) Answer answer;
  auto message = Ask(socket_.get(), request, answer);
  return message.ok() ? StatusOf(*message) : message.status();
}

}  // namespace kith
