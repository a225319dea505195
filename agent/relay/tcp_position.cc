// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/tcp_position.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

namespace kith {
namespace {

// States of include/net/tcp_states.h; netinet/tcp.h, which names them, cannot
// be included beside linux/tcp.h.
enum TcpState : uint8_t {
  kClose = 7,
  kCloseWait = 8,
  kLastAck = 9,
  kClosing = 11,
};

// The two numbers of a position are read one after the other; a second read of
// the first detects bytes that arrive in between.
constexpr int kMostLooks = 100;

absl::StatusOr<tcp_info> Info(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    return absl::ErrnoToStatus(errno, "TCP_INFO");
  }
  if (size < offsetof(tcp_info, tcpi_segs_out)) {
    return absl::UnimplementedError("this kernel's TCP_INFO counts no bytes");
  }
  return info;
}

absl::StatusOr<uint64_t> Queued(int fd, unsigned long request) {
  int queued = 0;
  if (ioctl(fd, request, &queued) != 0) {
    return absl::ErrnoToStatus(errno, "bytes in a socket's queue");
  }
  return static_cast<uint64_t>(queued);
}

bool HasFin(uint8_t state) {
  return state == kClose || state == kCloseWait || state == kLastAck ||
         state == kClosing;
}

struct Counts {
  tcp_info info{};
  uint64_t queued = 0;
};

absl::StatusOr<Counts> Look(int fd,
                            unsigned long request,
                            __u64 tcp_info::*count) {
  auto before = Info(fd);
  for (int look = 0; before.ok() && look < kMostLooks; ++look) {
    auto queued = Queued(fd, request);
    if (!queued.ok()) {
      return queued.status();
    }
    auto after = Info(fd);
    if (after.ok() && (*after).*count == (*before).*count &&
        after->tcpi_state == before->tcpi_state) {
      return Counts{*after, *queued};
    }
    before = after;
  }
  return before.ok() ? absl::UnavailableError("the socket is too busy")
                     : before.status();
}

}  // namespace

// The FIN takes a place in the sequence, which SIOCINQ leaves out
// (include/net/tcp.h, tcp_inq).
absl::StatusOr<uint64_t> ConsumedOf(int fd) {
  auto counts = Look(fd, SIOCINQ, &tcp_info::tcpi_bytes_received);
  if (!counts.ok()) {
    return counts.status();
  }
  return counts->info.tcpi_bytes_received - counts->queued -
         (HasFin(counts->info.tcpi_state) ? 1 : 0);
}

absl::StatusOr<uint64_t> WrittenOf(int fd) {
  auto counts = Look(fd, SIOCOUTQ, &tcp_info::tcpi_bytes_acked);
  if (!counts.ok()) {
    return counts.status();
  }
  return counts->info.tcpi_bytes_acked + counts->queued;
}

}  // namespace kith
