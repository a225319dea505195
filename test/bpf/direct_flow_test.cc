// SPDX-License-Identifier: Apache-2.0
// Flows that had a pass: counted, shown and ended.
#include <sys/socket.h>

#include <cerrno>

#include <catch2/catch_test_macros.hpp>

#include "abi/identity.h"
#include "test/bpf/rig/grants.h"

namespace kith {
namespace {

TEST_CASE("the bytes of a direct flow are counted") {
  GrantRig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  auto direct = rig.RequireDirect(at);
  Carry(direct.client.socket, direct.server.socket, 12345);
  Carry(direct.server.socket, direct.client.socket, 678);
  const DirectFlow flow = rig.Await(DirectFlow::State::kOpen);
  const auto counted = rig.passes.Count(flow);
  REQUIRE(counted.ok());
  CHECK(counted->sent == 12345);
  CHECK(counted->received == 678);

  rig.client.CloseAll();
  direct.client.socket.Reset();
  char byte = 0;
  CHECK(recv(direct.server.socket.get(), &byte, 1, 0) == 0);
  direct.server.socket.Reset();
  const DirectFlow closed = rig.Await(DirectFlow::State::kClosed);
  CHECK(closed.bytes_sent == 12345);
  CHECK(closed.bytes_received == 678);
  CHECK(closed.error == 0);
  CHECK(absl::IsNotFound(rig.passes.Count(flow).status()));
}

TEST_CASE("both applications are told who the peer is") {
  GrantRig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  const auto show = [&](uint64_t key, const std::string &peer) {
    auto shown = rig.agent->ShowIdentity(
        key, {.spiffe_id = "spiffe://a/own", .peer_spiffe_id = peer});
    REQUIRE(shown.ok());
    return *std::move(shown);
  };
  const auto client =
      show(ClientIdentityKey(GrantRig::kId), "spiffe://a/server");
  const auto server =
      show(ServerIdentityKey(GrantRig::kId), "spiffe://a/client");
  const auto peer_of = [](const FileDescriptor &socket) {
    shown_identity shown{};
    socklen_t length = sizeof(shown);
    REQUIRE(getsockopt(socket.get(),
                       KITH_SOL_IDENTITY,
                       KITH_SO_IDENTITY,
                       &shown,
                       &length) == 0);
    CHECK(shown.enabled == 0);
    return std::string(shown.peer_spiffe_id);
  };
  GrantRig::Direct direct{.client = rig.client.Connect(at), .server = {}};
  REQUIRE(direct.client.error == 0);
  CHECK(peer_of(direct.client.socket) == "spiffe://a/server");
  SECTION("the server, too") {
    auto accepted = Accept(rig.listening.socket);
    REQUIRE(accepted.has_value());
    CHECK(peer_of(accepted->socket) == "spiffe://a/client");
  }
  SECTION("also the server that accepts when its client has gone") {
    rig.client.CloseAll();
    REQUIRE(shutdown(direct.client.socket.get(), SHUT_RDWR) == 0);
    direct.client.socket.Reset();
    auto accepted = Accept(rig.listening.socket);
    REQUIRE(accepted.has_value());
    CHECK(peer_of(accepted->socket) == "spiffe://a/client");
    accepted->socket.Reset();
    rig.Await(DirectFlow::State::kClosed);
  }
}

TEST_CASE("a direct flow can be ended") {
  GrantRig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  const auto direct = rig.RequireDirect(at);
  Carry(direct.client.socket, direct.server.socket, 10);
  const DirectFlow flow = rig.Await(DirectFlow::State::kOpen);
  REQUIRE(rig.passes.End(flow).ok());
  char byte = 0;
  CHECK(recv(direct.client.socket.get(), &byte, 1, 0) == -1);
  CHECK(errno == ECONNABORTED);
  CHECK(recv(direct.server.socket.get(), &byte, 1, 0) == -1);
  CHECK(errno == ECONNRESET);
  const DirectFlow closed = rig.Await(DirectFlow::State::kClosed);
  CHECK(closed.error == ECONNABORTED);
  CHECK(closed.bytes_sent == 10);
  CHECK(absl::IsNotFound(rig.passes.End(flow)));
}

TEST_CASE("sweeping leaves what a pass leads to") {
  GrantRig rig;
  const Endpoint at = At("127.0.0.1:80");
  REQUIRE(rig.Open(at).ok());
  rig.passes.Sweep();
  const auto direct = rig.RequireDirect(at);
  // A connect() that has had a pass may still be on its way.
  rig.passes.Void();
  rig.passes.Sweep();
  CHECK(rig.Await(DirectFlow::State::kOpen).assigned);
}

}  // namespace
}  // namespace kith
