// SPDX-License-Identifier: Apache-2.0
// Whom an open flow's life is told to, and when.
#include "agent/flow/open_flow.h"

#include <catch2/catch_test_macros.hpp>

#include "test/unit/flow/flow_fixture.h"

namespace kith {
namespace {

// Recorder writes down what it is told.
struct Recorder final : OpenFlowSubscriber {
  Recorder(std::string called, std::string &into)
      : name(std::move(called)), told(into) {}

  std::string name;
  std::string &told;
  absl::Status answer;

  void Secured(const OpenFlow &) override { told += name + "secured "; }
  absl::Status Relaying(const OpenFlow &,
                        const std::shared_ptr<Relay> &,
                        Executor) override {
    told += name + "relaying ";
    return answer;
  }
  void Ended(const OpenFlow &, FlowEnd &) override { told += name + "ended "; }
};

// CipherCounter is what a stranger would add: it counts flows by cipher.
struct CipherCounter final : OpenFlowSubscriber {
  std::map<std::string, int> flows;

  void Secured(const OpenFlow &open) override {
    ++flows[open.flow->Snapshot().tls->cipher];
  }
};

struct OneFlow {
  std::string told;
  Recorder first{"1:", told};
  Recorder second{"2:", told};
  FlowsUnderTest agent;
  LocalListener destination;

  OneFlow() {
    agent.fakes.identifier.process = WorkloadOf(nullptr);
    agent.fakes.subscribers = {&first, &second};
  }
};

TEST_CASE("subscribers are told in order, and of the end in the reverse") {
  OneFlow one;
  FileDescriptor application = one.agent.Outbound(one.destination.endpoint());
  FileDescriptor peer = one.destination.Accept();
  (void)one.agent.OpenOne();
  application.Reset();
  peer.Reset();
  (void)one.agent.Last();
  CHECK(one.told == "1:relaying 2:relaying 2:ended 1:ended ");
}

TEST_CASE("a subscriber can refuse a flow, which all are told has ended") {
  OneFlow one;
  one.first.answer = absl::PermissionDeniedError("not any more");
  const FileDescriptor application =
      one.agent.Outbound(one.destination.endpoint());
  CHECK(IsReset(application.get()));
  const FlowRecord closed = one.agent.Last();
  CHECK(closed.reason == CloseReason::kRevoked);
  CHECK(closed.detail == "not any more");
  CHECK(one.told == "1:relaying 2:ended 1:ended ");
}

TEST_CASE("a flow that ends with its loop has ended for its subscribers") {
  std::string told;
  Recorder recorder("", told);
  LocalListener destination;
  FileDescriptor application;
  {
    FlowsUnderTest agent;
    agent.fakes.identifier.process = WorkloadOf(nullptr);
    agent.fakes.subscribers = {&recorder};
    application = agent.Outbound(destination.endpoint());
    (void)agent.OpenOne();
    CHECK(told == "relaying ");
  }
  CHECK(told == "relaying ended ");
}

TEST_CASE("a counter of flows by cipher is a subscriber of its own") {
  CipherCounter counter;
  const TestTrust trust;
  FlowsUnderTest client;
  FlowsUnderTest server;
  client.fakes.subscribers = {&counter};
  client.fakes.identifier.process =
      WorkloadOf(IdentityOf("client", TlsMode::kMutual));
  server.fakes.identifier.listener =
      WorkloadOf(IdentityOf("server", TlsMode::kMutual));
  Holds(client.fakes, trust, "client");
  Holds(server.fakes, trust, "server");
  LocalListener wire;
  FileDescriptor application = client.Outbound(wire.endpoint());
  server.ServeInboundOn(wire.Accept());
  FileDescriptor accepted = wire.Accept();
  Write(application.get(), "x");
  CHECK(TextOf(accepted.get(), 1) == "x");
  REQUIRE(counter.flows.size() == 1);
  CHECK(counter.flows.begin()->second == 1);
  application.Reset();
  accepted.Reset();
  (void)client.Last();
  (void)server.Last();
}

}  // namespace
}  // namespace kith
