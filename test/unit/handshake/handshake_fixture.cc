// SPDX-License-Identifier: Apache-2.0
#include "test/unit/handshake/handshake_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "agent/handshake/alpn.h"

namespace kith {
namespace {

FileDescriptor NewSocket() {
  FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(fd.valid());
  return fd;
}

void BoundWaits(int fd) {
  timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  for (int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    REQUIRE(setsockopt(fd, SOL_SOCKET, option, &patience, sizeof(patience)) ==
            0);
  }
}

}  // namespace

std::pair<FileDescriptor, FileDescriptor> ConnectedPair() {
  FileDescriptor listener = NewSocket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto *generic = reinterpret_cast<sockaddr *>(&address);
  socklen_t length = sizeof(address);
  REQUIRE(bind(listener.get(), generic, length) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  REQUIRE(getsockname(listener.get(), generic, &length) == 0);
  FileDescriptor dialled = NewSocket();
  REQUIRE(connect(dialled.get(), generic, length) == 0);
  FileDescriptor accepted(
      accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(accepted.valid());
  BoundWaits(dialled.get());
  BoundWaits(accepted.get());
  return {std::move(dialled), std::move(accepted)};
}

TestTrust::TestTrust(const std::string &trust_domain)
    : domain_(trust_domain),
      forge_(SvidForge::InMemory(trust_domain, std::chrono::system_clock::now())
                 .value()),
      bundle_(TrustBundle::Create({forge_.authorities()}).value()) {}

std::shared_ptr<const X509Svid> TestTrust::MakeSvid(const std::string &path,
                                                    ForgeryKind kind) const {
  SpiffeId id = SpiffeId::FromPath(domain_, path).value();
  ForgedSvid forged =
      forge_.Make(kind, id, std::chrono::system_clock::now()).value();
  return X509Svid::Create(id, std::move(forged.key), std::move(forged.chain))
      .value();
}

HandshakeRequest TestTrust::Request(TlsRole role,
                                    const std::string &path) const {
  HandshakeRequest request;
  request.role = role;
  request.svid = MakeSvid(path);
  request.bundle = bundle_;
  if (role == TlsRole::kClient) {
    request.alpn = {{std::string(kAlpn)}};
  }
  request.authorize = [](const PeerIdentity &) { return absl::OkStatus(); };
  return request;
}

TcpSocket Adopt(asio::io_context &loop, FileDescriptor fd) {
  return TcpSocket(loop.get_executor(), asio::ip::tcp::v4(), fd.Release());
}

Task<HandshakeOutcome> HandshakeOn(asio::io_context &loop,
                                   FileDescriptor fd,
                                   HandshakeRequest request) {
  co_return co_await Handshake(Adopt(loop, std::move(fd)), std::move(request));
}

}  // namespace kith
