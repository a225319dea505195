// SPDX-License-Identifier: Apache-2.0
// An open flow is kept while it lives, and another process goes on with it.
#include "agent/checkpoint/flow_checkpoints.h"

#include <catch2/catch_test_macros.hpp>

#include "test/unit/checkpoint/service_manager.h"
#include "test/unit/flow/flow_fixture.h"

namespace kith {
namespace {

// An agent whose flows are no workload's, and are kept.
struct KeepingAgent {
  std::unique_ptr<FlowCheckpoints> checkpoints;  // outlives the flows
  FlowsUnderTest flows;

  explicit KeepingAgent(std::vector<NamedDescriptor> passed = {}) {
    auto store = OpenFlowStore(std::move(passed), FileDescriptor());
    INFO(store.status().message());
    REQUIRE(store.ok());
    checkpoints = *std::move(store);
    flows.fakes.subscribers = {checkpoints.get()};
    flows.fakes.identifier.process = WorkloadOf(nullptr);
  }
  ~KeepingAgent() { flows.Freeze(); }
};

TEST_CASE("without a service manager there is no flow store") {
  CHECK(
      absl::IsFailedPrecondition(OpenFlowStore({}, FileDescriptor()).status()));
}

TEST_CASE("a flow is kept from some age on, and until it ends") {
  ServiceManager manager;
  KeepingAgent agent;
  LocalListener destination;
  FileDescriptor application = agent.flows.Outbound(destination.endpoint());
  FileDescriptor peer = destination.Accept();
  CHECK(manager.StoredUntil("kith-flow").size() == 4);
  CHECK(agent.checkpoints->kept() == 1);
  application.Reset();
  peer.Reset();
  CHECK(agent.flows.Last().reason == CloseReason::kClosed);
  CHECK(agent.checkpoints->kept() == 0);
}

TEST_CASE("another process goes on with the flow, byte by byte") {
  ServiceManager manager;
  KeepingAgent former;
  LocalListener destination;
  FileDescriptor application = former.flows.Outbound(destination.endpoint());
  FileDescriptor peer = destination.Accept();
  Write(application.get(), "first");
  CHECK(TextOf(peer.get(), 5) == "first");
  auto stored = manager.StoredUntil("kith-flow");
  const FlowRecord record = former.flows.OpenOne();
  former.flows.Freeze();  // as a process that was killed
  KeepingAgent next(std::move(stored));
  CHECK(next.checkpoints->last_found_id() == record.id);
  CHECK(next.checkpoints->FoundOutbound().size() == 1);
  EventLoops loops(1);
  loops.Start();
  next.checkpoints->ResumeFound(next.flows.fakes.context, loops);
  Write(application.get(), "second");
  CHECK(TextOf(peer.get(), 6) == "second");
  Write(peer.get(), "answer");
  CHECK(TextOf(application.get(), 6) == "answer");
  const FlowRecord resumed = next.flows.OpenOne();
  CHECK(resumed.id == record.id);
  CHECK(resumed.bytes_sent == 11);
  CHECK(next.checkpoints->kept() == 1);
  loops.Stop();
}

TEST_CASE("a flow that nobody goes on with gives its place back") {
  ServiceManager manager;
  KeepingAgent former;
  LocalListener destination;
  const FileDescriptor application =
      former.flows.Outbound(destination.endpoint());
  const FileDescriptor peer = destination.Accept();
  auto stored = manager.StoredUntil("kith-flow");
  const FlowRecord record = former.flows.OpenOne();
  former.flows.Freeze();
  KeepingAgent next(std::move(stored));
  // Its id is another flow's, so that the table does not take it.
  FlowRecord other = record;
  REQUIRE(next.flows.fakes.flows->Adopt(other) != nullptr);
  EventLoops loops(1);
  loops.Start();
  next.checkpoints->ResumeFound(next.flows.fakes.context, loops);
  loops.Drain();
  loops.Stop();
  CHECK(next.checkpoints->kept() == 0);
}

}  // namespace
}  // namespace kith
