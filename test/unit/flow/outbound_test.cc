// SPDX-License-Identifier: Apache-2.0
// What becomes of a connection that a workload makes.
#include <catch2/catch_test_macros.hpp>

#include "agent/flow/outbound_flow.h"
#include "test/unit/flow/flow_fixture.h"

namespace kith {
namespace {

TEST_CASE("a connection that no hook saw is reset") {
  FlowsUnderTest agent;
  const FileDescriptor application = agent.OutboundUnknown();
  CHECK(IsReset(application.get()));
  CHECK(agent.Last().reason == CloseReason::kNoOrigin);
  CHECK(agent.fakes.capture.forgotten == 0);
}

TEST_CASE("bytes of a process that is no workload go as they are") {
  FlowsUnderTest agent;
  agent.fakes.identifier.process = WorkloadOf(nullptr);
  LocalListener destination;
  FileDescriptor application = agent.Outbound(destination.endpoint());
  FileDescriptor peer = destination.Accept();
  Write(application.get(), "question");
  CHECK(TextOf(peer.get(), 8) == "question");
  Write(peer.get(), "answer");
  CHECK(TextOf(application.get(), 6) == "answer");
  CHECK(agent.OpenOne().mode == FlowMode::kPlaintext);
  application.Reset();
  CHECK(ReadToEnd(peer.get()).empty());
  peer.Reset();
  const FlowRecord closed = agent.Last();
  CHECK(closed.reason == CloseReason::kClosed);
  CHECK(closed.bytes_sent == 8);
  CHECK(closed.bytes_received == 6);
  CHECK(closed.destination == destination.endpoint());
  CHECK(agent.fakes.capture.forgotten == 1);
  CHECK(agent.fakes.identifier.port == destination.endpoint().port);
  CHECK(agent.fakes.identifier.expected ==
        WorkloadAttestor::Expect::kSameImage);
  CHECK(agent.fakes.capture.process_verdicts ==
        std::vector{ProcessVerdict::kNotWorkload});
}

TEST_CASE("who may be two workloads is refused, and nobody is dialled") {
  FlowsUnderTest agent;
  Workload tied = WorkloadOf(nullptr);
  tied.identity = absl::FailedPreconditionError("a, b");
  agent.fakes.identifier.process = tied;
  LocalListener destination;
  const FileDescriptor application = agent.Outbound(destination.endpoint());
  CHECK(IsReset(application.get()));
  const FlowRecord closed = agent.Last();
  CHECK(closed.reason == CloseReason::kIdentityConflict);
  CHECK(closed.detail == "a, b");
  CHECK(closed.mode == FlowMode::kDenied);
  CHECK_FALSE(destination.HasConnection());
}

TEST_CASE("who could not be attested is refused") {
  FlowsUnderTest agent;
  agent.fakes.identifier.process = absl::UnavailableError("no /proc");
  LocalListener destination;
  const FileDescriptor application = agent.Outbound(destination.endpoint());
  CHECK(IsReset(application.get()));
  const FlowRecord closed = agent.Last();
  CHECK(closed.reason == CloseReason::kAttestationFailed);
  CHECK(closed.detail == "no /proc");
  CHECK_FALSE(destination.HasConnection());
}

TEST_CASE("a destination that refuses is named") {
  FlowsUnderTest agent;
  agent.fakes.identifier.process = WorkloadOf(nullptr);
  LocalListener destination;
  destination.Close();
  const FileDescriptor application = agent.Outbound(destination.endpoint());
  CHECK(IsReset(application.get()));
  const FlowRecord closed = agent.Last();
  CHECK(closed.reason == CloseReason::kDialFailed);
  CHECK(closed.detail.find(destination.endpoint().ToString()) !=
        std::string::npos);
}

TEST_CASE("without an SVID not a byte leaves") {
  FlowsUnderTest agent;
  agent.fakes.identifier.process =
      WorkloadOf(IdentityOf("client", TlsMode::kMutual));
  LocalListener destination;
  const FileDescriptor application = agent.Outbound(destination.endpoint());
  Write(application.get(), "secret");
  const FileDescriptor peer = destination.Accept();
  CHECK(ReadToEnd(peer.get()).empty());
  CHECK(agent.Last().reason == CloseReason::kNoSvid);
}

TEST_CASE("a socket that cannot be watched is not used") {
  const TestTrust trust;
  FlowsUnderTest agent;
  agent.fakes.identifier.process =
      WorkloadOf(IdentityOf("client", TlsMode::kMutual));
  Holds(agent.fakes, trust, "client");
  agent.fakes.outer_sockets.refusal = absl::InternalError("no room");
  LocalListener destination;
  const FileDescriptor application = agent.Outbound(destination.endpoint());
  const FileDescriptor peer = destination.Accept();
  CHECK(ReadToEnd(peer.get()).empty());
  CHECK(agent.Last().reason == CloseReason::kHandshakeFailed);
}

TEST_CASE("a peer that speaks no TLS gets a ClientHello and nothing else") {
  const TestTrust trust;
  FlowsUnderTest agent;
  agent.fakes.identifier.process =
      WorkloadOf(IdentityOf("client", TlsMode::kMutual));
  Holds(agent.fakes, trust, "client");
  LocalListener destination;
  const FileDescriptor application = agent.Outbound(destination.endpoint());
  Write(application.get(), "secret");
  const FileDescriptor peer = destination.Accept();
  Write(peer.get(), "SSH-2.0-server\r\n");
  const std::string seen = ReadToEnd(peer.get());
  REQUIRE_FALSE(seen.empty());
  CHECK(seen.front() == '\x16');
  CHECK(seen.find("secret") == std::string::npos);
  CHECK(agent.Last().reason == CloseReason::kHandshakeFailed);
}

}  // namespace
}  // namespace kith
