// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/grant_proof.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"

#include "agent/datapath/socket_diag.h"
#include "agent/runtime/loopback_pair.h"

namespace kith {
namespace {

constexpr std::array<char, 1000> kSent{};
constexpr std::array<char, 300> kAnswered{};

absl::StatusOr<SocketName> NameOf(int socket) {
  SocketName name;
  socklen_t length = sizeof(name.cookie);
  if (getsockopt(socket, SOL_SOCKET, SO_COOKIE, &name.cookie, &length) != 0) {
    return absl::ErrnoToStatus(errno, "SO_COOKIE");
  }
  for (const auto &[call, out] : {std::pair(&getsockname, &name.local),
                                  std::pair(&getpeername, &name.remote)}) {
    sockaddr_storage address{};
    length = sizeof(address);
    if (call(socket, reinterpret_cast<sockaddr *>(&address), &length) != 0) {
      return absl::ErrnoToStatus(errno, "the name of a socket");
    }
    auto endpoint = Endpoint::FromSockaddr(address);
    if (!endpoint.ok()) {
      return endpoint.status();
    }
    *out = *endpoint;
  }
  return name;
}

// A kernel that behaves wrongly must not block the start.
absl::Status LimitWaiting(int socket) {
  constexpr timeval kMost{.tv_sec = 5, .tv_usec = 0};
  return setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kMost, sizeof(kMost)) == 0
             ? absl::OkStatus()
             : absl::ErrnoToStatus(errno, "SO_RCVTIMEO");
}

// Carry sends bytes and returns when all of them have arrived.
absl::Status Carry(int from, int to, size_t size) {
  std::array<char, kSent.size()> bytes{};
  if (send(from, bytes.data(), size, MSG_NOSIGNAL) !=
          static_cast<ssize_t>(size) ||
      recv(to, bytes.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size)) {
    return absl::ErrnoToStatus(errno, "a connection on loopback");
  }
  return absl::OkStatus();
}

absl::Status ExpectCounts(SocketDiag &diag, const SocketName &name) {
  auto counted = diag.Count(name);
  if (!counted.ok()) {
    return counted.status();
  }
  if (counted->sent != kSent.size() || counted->received != kAnswered.size()) {
    return absl::UnavailableError(absl::StrCat("the kernel counts ",
                                               counted->sent,
                                               " and ",
                                               counted->received,
                                               " bytes, not ",
                                               kSent.size(),
                                               " and ",
                                               kAnswered.size()));
  }
  return absl::OkStatus();
}

absl::Status ExpectReset(int socket) {
  char byte = 0;
  if (recv(socket, &byte, 1, 0) >= 0 || errno != ECONNRESET) {
    return absl::UnavailableError("a socket that was ended is still open");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ProveGrants() {
  auto pair = LoopbackPair::Connect();
  auto diag = SocketDiag::Open();
  if (!pair.ok() || !diag.ok()) {
    return pair.ok() ? diag.status() : pair.status();
  }
  const int client = pair->client.get();
  const int server = pair->server.get();
  auto name = NameOf(client);
  absl::Status step = name.status();
  step.Update(LimitWaiting(client));
  step.Update(LimitWaiting(server));
  if (step.ok()) {
    step = Carry(client, server, kSent.size());
  }
  if (step.ok()) {
    step = Carry(server, client, kAnswered.size());
  }
  if (step.ok()) {
    step = ExpectCounts(*diag, *name);
  }
  if (step.ok()) {
    step = diag->Destroy(*name);
  }
  return step.ok() ? ExpectReset(server) : step;
}

}  // namespace kith
