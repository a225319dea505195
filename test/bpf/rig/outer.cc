// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/outer.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <thread>

#include "absl/log/check.h"

#include "test/bpf/rig/sockets.h"

namespace kith {
namespace {

constexpr int kWaitMillis = 10'000;

void SetOption(const FileDescriptor &socket, int level, int name, int value) {
  PCHECK(setsockopt(socket.get(), level, name, &value, sizeof(value)) == 0);
}

FileDescriptor OpenSocket(int family) {
  FileDescriptor opened(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  PCHECK(opened.valid());
  return opened;
}

Connection ConnectHere(int family) {
  FileDescriptor listener = OpenSocket(family);
  CHECK_EQ(BindTo(listener, At(family == AF_INET ? "127.0.0.1:0" : "[::1]:0")),
           0);
  PCHECK(listen(listener.get(), 1) == 0);
  Connection connection{.outer = OpenSocket(family), .peer = {}};
  CHECK_EQ(ConnectTo(connection.outer, LocalOf(listener)), 0);
  auto accepted = Accept(listener);
  CHECK(accepted.has_value());
  connection.peer = std::move(accepted->socket);
  SetOption(connection.outer, IPPROTO_TCP, TCP_NODELAY, 1);
  return connection;
}

bool WaitUntilReadable(const FileDescriptor &socket) {
  pollfd waiting{socket.get(), POLLIN, 0};
  return poll(&waiting, 1, kWaitMillis) == 1;
}

}  // namespace

Connection ConnectIn(const TestNetns &netns, int family) {
  Connection connection;
  std::thread([&] {
    PCHECK(setns(netns.fd(), CLONE_NEWNET) == 0);
    connection = ConnectHere(family);
  }).join();
  return connection;
}

std::string Record(uint8_t type, uint16_t version, size_t length) {
  std::string record(5 + length, '\0');
  record[0] = static_cast<char>(type);
  record[1] = static_cast<char>(version >> 8);
  record[2] = static_cast<char>(version);
  record[3] = static_cast<char>(length >> 8);
  record[4] = static_cast<char>(length);
  for (size_t i = 0; i < length; ++i) {
    record[5 + i] = static_cast<char>(i * 131 + length);  // any bytes
  }
  return record;
}

std::string Opening() {
  return Record(22, 0x0301, 1500) + Record(22, 0x0303, 600) +
         Record(20, 0x0303, 1) + Sealed(1000);
}

bool Send(const FileDescriptor &socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string Receive(const FileDescriptor &socket, size_t count) {
  std::string bytes(count, '\0');
  size_t got = 0;
  while (got < count && WaitUntilReadable(socket)) {
    const ssize_t more = recv(socket.get(), bytes.data() + got, count - got, 0);
    if (more <= 0) {
      break;
    }
    got += static_cast<size_t>(more);
  }
  bytes.resize(got);
  return bytes;
}

void Reset(FileDescriptor &socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  PCHECK(setsockopt(
             socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) ==
         0);
  socket.Reset(-1);
}

std::string Drain(const FileDescriptor &socket) {
  std::string bytes;
  while (WaitUntilReadable(socket)) {
    char some[4096];
    const ssize_t got = recv(socket.get(), some, sizeof(some), 0);
    if (got <= 0) {
      break;
    }
    bytes.append(some, static_cast<size_t>(got));
  }
  return bytes;
}

uint32_t Retransmitted(const FileDescriptor &socket) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  PCHECK(getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &length) == 0);
  return info.tcpi_total_retrans;
}

// return bpf_get_prandom_u32() % 16 != 0;
PacketLoss::PacketLoss(const TestCgroup &cgroup) {
  const bpf_insn program[] = {
      {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32},
      {BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, 15},
      {BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 1, 0},
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  FileDescriptor loaded(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB,
                                      "packet_loss",
                                      "GPL",
                                      program,
                                      std::size(program),
                                      nullptr));
  PCHECK(loaded.valid());
  FileDescriptor directory(
      open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  link_.Reset(bpf_link_create(
      loaded.get(), directory.get(), BPF_CGROUP_INET_INGRESS, nullptr));
  PCHECK(link_.valid());
}

}  // namespace kith
