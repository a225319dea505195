// SPDX-License-Identifier: Apache-2.0
// A process that is being captured: it does what the test tells it.
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "kith/endpoint.h"
#include "test/bpf/workload/protocol.h"

namespace kith {
namespace {

std::vector<int> sockets;

socklen_t AddressOf(const WorkloadRequest &request, sockaddr_storage &out) {
  const Endpoint &endpoint = request.address;
  if (request.family == AF_INET) {
    return endpoint.ToSockaddr(out);
  }
  out = {};
  auto &ip6 = reinterpret_cast<sockaddr_in6 &>(out);
  ip6.sin6_family = AF_INET6;
  ip6.sin6_port = htons(endpoint.port);
  std::memcpy(&ip6.sin6_addr, endpoint.address.data(), 16);
  return sizeof(ip6);
}

int Open(const WorkloadRequest &request) {
  const int fd = socket(static_cast<int>(request.family), SOCK_STREAM, 0);
  if (fd >= 0) {
    sockets.push_back(fd);
  }
  return fd;
}

int Connect(const WorkloadRequest &request) {
  sockaddr_storage address{};
  const socklen_t length = AddressOf(request, address);
  const int fd = Open(request);
  if (fd < 0 ||
      connect(fd, reinterpret_cast<sockaddr *>(&address), length) != 0) {
    return -1;
  }
  return fd;
}

int Listen(const WorkloadRequest &request) {
  sockaddr_storage address{};
  const socklen_t length = AddressOf(request, address);
  const int fd = Open(request);
  const int v6only = static_cast<int>(request.v6only);
  const int reuse_port = static_cast<int>(request.reuse_port);
  if (request.family == AF_INET6 &&
      setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) != 0) {
    return -1;
  }
  if (setsockopt(
          fd, SOL_SOCKET, SO_REUSEPORT, &reuse_port, sizeof(reuse_port)) != 0 ||
      bind(fd, reinterpret_cast<sockaddr *>(&address), length) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    return -1;
  }
  return fd;
}

void CloseAll() {
  for (const int fd : sockets) {
    close(fd);
  }
  sockets.clear();
}

// The answer comes from the new program; its descriptors stay.
int Exec() {
  const char *arguments[] = {"/proc/self/exe", "exec", nullptr};
  return execv(arguments[0], const_cast<char **>(arguments));
}

// Returns the parent's descriptor; the child goes on with the other end.
int Fork() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
    return -1;
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], kWorkloadFd);
    close(ends[0]);
    close(ends[1]);
    return 0;
  }
  close(ends[1]);
  return child < 0 ? -1 : ends[0];
}

void Reply(int result, int error) {
  WorkloadReply reply{.error = result < 0 ? error : 0,
                      .pid = static_cast<uint32_t>(getpid())};
  iovec bytes{&reply, sizeof(reply)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (result > 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &result, sizeof(result));
  }
  (void)sendmsg(kWorkloadFd, &message, 0);
}

int Do(const WorkloadRequest &request) {
  switch (request.op) {
    case WorkloadOp::kConnect:
      return Connect(request);
    case WorkloadOp::kListen:
      return Listen(request);
    case WorkloadOp::kClose:
      CloseAll();
      return 0;
    case WorkloadOp::kExec:
      return Exec();
    case WorkloadOp::kFork:
      return Fork();
    case WorkloadOp::kSetUid:
      return setuid(request.uid);
    case WorkloadOp::kUnshare:
      return unshare(CLONE_NEWNET);
  }
  return -1;
}

int Serve() {
  signal(SIGCHLD, SIG_IGN);
  Reply(0, 0);  // started, or did exec
  WorkloadRequest request;
  while (recv(kWorkloadFd, &request, sizeof(request), 0) == sizeof(request)) {
    const int result = Do(request);
    Reply(result, errno);
    if (request.op == WorkloadOp::kFork && result > 0) {
      close(result);  // or the child would never see the end of its channel
    }
  }
  return 0;
}

}  // namespace
}  // namespace kith

int main() {
  return kith::Serve();
}
