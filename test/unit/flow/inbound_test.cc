// SPDX-License-Identifier: Apache-2.0
// What becomes of a connection that a workload receives.
#include <catch2/catch_test_macros.hpp>

#include "agent/flow/inbound_flow.h"
#include "test/unit/flow/flow_fixture.h"

namespace kith {
namespace {

// A client's agent and a server's, and the server itself.
struct TwoAgents {
  TestTrust trust;
  FlowsUnderTest client;
  FlowsUnderTest server;
  LocalListener wire;          // where the client's agent arrives
  FileDescriptor application;  // the client

  explicit TwoAgents(const std::shared_ptr<WorkloadIdentity> &server_identity) {
    client.fakes.identifier.process =
        WorkloadOf(IdentityOf("client", TlsMode::kMutual));
    Holds(client.fakes, trust, "client");
    server.fakes.identifier.listener = WorkloadOf(server_identity);
    Holds(server.fakes, trust, "server");
    application = client.Outbound(wire.endpoint());
  }
};

TEST_CASE("a connection to nobody is reset") {
  FlowsUnderTest agent;
  const FileDescriptor client = agent.Inbound();
  CHECK(IsReset(client.get()));
  CHECK(agent.Last().reason == CloseReason::kNoOrigin);
}

TEST_CASE("plaintext on a MUTUAL port is refused, and reaches nobody") {
  FlowsUnderTest agent;
  agent.fakes.identifier.listener =
      WorkloadOf(IdentityOf("server", TlsMode::kMutual));
  const FileDescriptor client = agent.Inbound();
  Write(client.get(), "GET / HTTP/1.0\r\n\r\n");
  CHECK(IsReset(client.get()));
  CHECK(agent.Last().reason == CloseReason::kPlaintextRefused);
  CHECK(agent.fakes.inner_sockets.announced_clients.empty());
}

TEST_CASE("both ends know each other, and their bytes are not on the wire") {
  TwoAgents two(IdentityOf("server", TlsMode::kMutual));
  // The server's application is where its agent thinks that the connection
  // went: its own listener, which the hooks keep others away from.
  two.server.ServeInboundOn(two.wire.Accept());
  FileDescriptor application = two.wire.Accept();
  Write(two.application.get(), "question");
  CHECK(TextOf(application.get(), 8) == "question");
  Write(application.get(), "answer");
  CHECK(TextOf(two.application.get(), 6) == "answer");
  const FlowRecord at_client = two.client.OpenOne();
  const FlowRecord at_server = two.server.OpenOne();
  CHECK(at_client.mode == FlowMode::kMtls);
  CHECK(at_client.peer.spiffe_id == "spiffe://example.org/server");
  CHECK(at_server.peer.spiffe_id == "spiffe://example.org/client");
  CHECK(at_server.local.spiffe_id == "spiffe://example.org/server");
  REQUIRE(two.server.fakes.inner_sockets.shown.size() == 1);
  CHECK(two.server.fakes.inner_sockets.shown[0].peer_spiffe_id ==
        "spiffe://example.org/client");
  CHECK(two.client.fakes.mutual_peers.Knows(1, two.wire.endpoint()));
  two.application.Reset();
  CHECK(ReadToEnd(application.get()).empty());
  application.Reset();
  CHECK(two.client.Last().reason == CloseReason::kClosed);
  CHECK(two.server.Last().reason == CloseReason::kClosed);
}

TEST_CASE("a peer that policy does not name never reaches the application") {
  auto identity = IdentityOf("server", TlsMode::kMutual);
  identity->allowed_inbound.emplace();  // nobody
  TwoAgents two(identity);
  two.server.ServeInboundOn(two.wire.Accept());
  CHECK(ReadToEnd(two.application.get()).empty());
  const FlowRecord refused = two.server.Last();
  CHECK(refused.mode == FlowMode::kDenied);
  CHECK(refused.peer.spiffe_id == "spiffe://example.org/client");
  CHECK_FALSE(two.wire.HasConnection());
  (void)two.client.Last();
}

TEST_CASE("a PERMISSIVE port takes plaintext, and says so") {
  FlowsUnderTest agent;
  agent.fakes.identifier.listener =
      WorkloadOf(IdentityOf("server", TlsMode::kPermissive));
  LocalListener application;
  // The client dials the address that the application listens at.
  FileDescriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  const socklen_t size = application.endpoint().ToSockaddr(address);
  REQUIRE(connect(client.get(), reinterpret_cast<sockaddr *>(&address), size) ==
          0);
  agent.ServeInboundOn(application.Accept());
  Write(client.get(), "hello");
  FileDescriptor accepted = application.Accept();
  CHECK(TextOf(accepted.get(), 5) == "hello");
  CHECK(agent.OpenOne().mode == FlowMode::kPlaintext);
  REQUIRE(agent.fakes.inner_sockets.shown.size() == 1);
  CHECK_FALSE(agent.fakes.inner_sockets.shown[0].mutual_tls);
  client.Reset();
  CHECK(ReadToEnd(accepted.get()).empty());
  accepted.Reset();
  CHECK(agent.Last().reason == CloseReason::kClosed);
}

}  // namespace
}  // namespace kith
