// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/record_room.h"

#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace kith {

// TCP charges the socket for whole segments, even for one of which only the
// tail is left, and makes one of up to 17 pieces of 64 KiB (tcp_try_coalesce):
// a smaller buffer would never have room for the rest of a record. A great
// SO_RCVLOWAT makes the kernel enlarge the buffer to twice as much,
// permanently, without stopping its own tuning, but to no more than
// net.ipv4.tcp_rmem allows (net/ipv4/tcp.c, tcp_set_rcvlowat).
absl::Status MakeRoomForRecords(int fd) {
  constexpr int kRoom = 1 << 20;
  int room = 0;
  socklen_t size = sizeof(room);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &kRoom, size) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &room, &size) != 0) {
    return absl::ErrnoToStatus(errno, "SO_RCVLOWAT");
  }
  constexpr int kNone = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &kNone, sizeof(kNone));
  if (room < kRoom) {
    return absl::FailedPreconditionError(
        absl::StrCat("net.ipv4.tcp_rmem of its network namespace allows for ",
                     2 * room,
                     " bytes; ",
                     2 * kRoom,
                     " are needed"));
  }
  return absl::OkStatus();
}

}  // namespace kith
