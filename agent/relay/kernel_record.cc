// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/kernel_record.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#ifndef SOL_TLS
#define SOL_TLS 282  // include/linux/socket.h
#endif

namespace kith {
namespace {

// Room for the control message that carries a content type.
struct TypeMessage {
  alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(uint8_t))] = {};
};

// A socket that poll calls writable has a third of its buffer free (see
// AttachKernelTls), far more than the one record that the kernel may keep: a
// wait happens only if the machine has no memory for TCP.
constexpr timeval kLongestWait{.tv_sec = 0, .tv_usec = 100'000};
constexpr std::chrono::milliseconds kLongestWaitOfAll{100};

bool IsWritable(int fd) {
  pollfd event{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&event, 1, 0) == 1 && (event.revents & POLLOUT) != 0;
}

}  // namespace

ssize_t SendControlRecord(int fd,
                          uint8_t type,
                          std::span<const uint8_t> content,
                          int flags) {
  iovec out{const_cast<uint8_t *>(content.data()), content.size()};
  TypeMessage control;
  msghdr message{};
  message.msg_iov = &out;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof(control.bytes);
  cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_TLS;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(sizeof(type));
  std::memcpy(CMSG_DATA(header), &type, sizeof(type));
  ssize_t count = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
  return count < 0 ? -errno : count;
}

ssize_t SendLastRecord(int fd, uint8_t type, std::span<const uint8_t> content) {
  if (!IsWritable(fd)) {
    return -EAGAIN;
  }
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0 ||
      setsockopt(
          fd, SOL_SOCKET, SO_SNDTIMEO, &kLongestWait, sizeof(kLongestWait)) !=
          0) {
    return -errno;
  }
  const auto began = std::chrono::steady_clock::now();
  ssize_t count = SendControlRecord(fd, type, content, 0);
  const auto took = std::chrono::steady_clock::now() - began;
  (void)fcntl(fd, F_SETFL, flags);
  // After this time the kernel has taken the record, but TCP has not, unless
  // this thread had to wait for a processor.
  const bool stuck = took >= kLongestWaitOfAll && !IsWritable(fd);
  return count == -EAGAIN || stuck ? -ETIMEDOUT : count;
}

bool WaitForMoreThanQueued(int fd, int &least) {
  int queued = 0;
  if (ioctl(fd, SIOCINQ, &queued) != 0 || queued < 0) {
    queued = 0;
  }
  if (least == queued + 1) {
    return false;
  }
  least = queued + 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof(least));
  return true;
}

ReceivedRecord ReceiveRecord(int fd, std::span<uint8_t> room) {
  iovec in{room.data(), room.size()};
  TypeMessage control;
  msghdr message{};
  message.msg_iov = &in;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof(control.bytes);
  ReceivedRecord received{.count = recvmsg(fd, &message, MSG_DONTWAIT)};
  if (received.count < 0) {
    received.count = -errno;
    return received;
  }
  const cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_TLS &&
      header->cmsg_type == TLS_GET_RECORD_TYPE) {
    std::memcpy(&received.type, CMSG_DATA(header), sizeof(received.type));
  }
  return received;
}

}  // namespace kith
