// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/workload.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// Between fork and exec: only system calls.
[[noreturn]] void Become(int procs_fd, int netns_fd, int channel) {
  if (setns(netns_fd, CLONE_NEWNET) != 0 || write(procs_fd, "0", 1) != 1 ||
      dup2(channel, kWorkloadFd) != kWorkloadFd) {
    _exit(126);
  }
  (void)fcntl(kWorkloadFd, F_SETFD, 0);
  execl(KITH_WORKLOAD_PROGRAM, "workload", nullptr);
  _exit(127);
}

FileDescriptor OpenPidfd(uint32_t pid) {
  return FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

int FamilyOf(const Endpoint &endpoint, int family) {
  if (family != 0) {
    return family;
  }
  return endpoint.IsV4() ? AF_INET : AF_INET6;
}

}  // namespace

Workload::Workload(const TestCgroup &cgroup, const TestNetns &netns)
    : is_child_(true) {
  int ends[2];
  PCHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  channel_.Reset(ends[0]);
  FileDescriptor theirs(ends[1]);
  FileDescriptor procs(
      open(absl::StrCat(cgroup.path(), "/cgroup.procs").c_str(),
           O_WRONLY | O_CLOEXEC));
  PCHECK(procs.valid());
  const pid_t child = fork();
  PCHECK(child >= 0);
  if (child == 0) {
    Become(procs.get(), netns.fd(), theirs.get());
  }
  theirs.Reset();
  pid_ = static_cast<uint32_t>(child);
  pidfd_ = OpenPidfd(pid_);
  CHECK_EQ(Answer().error, 0);
}

Workload::~Workload() {
  if (channel_.valid()) {
    Exit();
  }
}

void Workload::Exit() {
  channel_.Reset();  // it ends when nobody asks any more
  if (is_child_) {
    PCHECK(waitpid(static_cast<pid_t>(pid_), nullptr, 0) > 0);
    return;
  }
  pollfd ended{pidfd_.get(), POLLIN, 0};
  PCHECK(poll(&ended, 1, 5000) == 1);
}

Workload::Result Workload::Answer() {
  WorkloadReply reply{};
  iovec bytes{&reply, sizeof(reply)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  CHECK_EQ(recvmsg(channel_.get(), &message, MSG_CMSG_CLOEXEC),
           static_cast<ssize_t>(sizeof(reply)))
      << "workload is gone";
  Result result{.error = reply.error, .socket = {}};
  if (cmsghdr *header = CMSG_FIRSTHDR(&message); header != nullptr) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    result.socket.Reset(fd);
  }
  pid_ = reply.pid;
  return result;
}

Workload::Result Workload::Ask(const WorkloadRequest &request) {
  PCHECK(send(channel_.get(), &request, sizeof(request), 0) ==
         static_cast<ssize_t>(sizeof(request)));
  return Answer();
}

Workload::Result Workload::Connect(const Endpoint &to, int family) {
  WorkloadRequest request;
  request.op = WorkloadOp::kConnect;
  request.family = static_cast<uint32_t>(FamilyOf(to, family));
  request.address = to;
  return Ask(request);
}

Workload::Result Workload::Listen(const Endpoint &at) {
  WorkloadRequest request;
  request.address = at;
  return Listen(request);
}

Workload::Result Workload::Listen(const WorkloadRequest &how) {
  WorkloadRequest request = how;
  request.op = WorkloadOp::kListen;
  request.family = static_cast<uint32_t>(
      FamilyOf(how.address, static_cast<int>(how.family)));
  Result result = Ask(request);
  return result;
}

void Workload::CloseAll() {
  CHECK_EQ(Ask({.op = WorkloadOp::kClose}).error, 0);
}

void Workload::Exec() {
  CHECK_EQ(Ask({.op = WorkloadOp::kExec}).error, 0);
}

void Workload::SetUid(uint32_t uid) {
  WorkloadRequest request;
  request.op = WorkloadOp::kSetUid;
  request.uid = uid;
  CHECK_EQ(Ask(request).error, 0);
}

void Workload::Unshare() {
  CHECK_EQ(Ask({.op = WorkloadOp::kUnshare}).error, 0);
}

Workload Workload::Fork() {
  Result forked = Ask({.op = WorkloadOp::kFork});
  CHECK(forked.socket.valid());
  Workload child;
  child.channel_ = std::move(forked.socket);
  CHECK_EQ(child.Answer().error, 0);  // and tells its pid
  child.pidfd_ = OpenPidfd(child.pid_);
  return child;
}

}  // namespace kith
