// SPDX-License-Identifier: Apache-2.0
// What becomes of direct flows of which the table in the kernel tells.
#include "agent/direct/same_node.h"

#include <catch2/catch_test_macros.hpp>

#include "agent/assembly/stages.h"
#include "test/unit/config/scratch_directory.h"
#include "test/unit/direct/fake_datapath.h"

namespace kith {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kCookie = 7;

// SameNodeFixture is an agent that knows no workload and has given no pass.
struct SameNodeFixture {
  ScratchDirectory resources;
  std::unique_ptr<TraceHub> trace = TraceHub::Create();
  AgentStages stages{Config{}, 1};
  FakePasses *passes = nullptr;
  std::unique_ptr<SameNode> same_node;

  SameNodeFixture() {
    stages.flows = FlowTable::Create(trace.get());
    stages.attestor = WorkloadAttestor::Create(
        {.exec_id_of =
             [](const process_facts &process) { return process.exec_id; },
         .sha256_of = [](int) { return std::string(); },
         .wants_binary_hash = [] { return false; }});
    auto store = ResourceStore::Create(
        {resources.path().native()}, "example.org", [](const auto &) {});
    REQUIRE(store.ok());
    stages.resources = *std::move(store);
    auto datapath = std::make_unique<FakeDatapath>();
    passes = &datapath->given;
    stages.datapath = std::move(datapath);
    stages.loops.Start();
    same_node = SameNode::Create(&stages);
    REQUIRE(same_node != nullptr);
  }
  ~SameNodeFixture() { stages.loops.Stop(); }

  // A flow that connected so long ago, of a process that is gone.
  direct_flow &Put(direct_state state, seconds age) {
    direct_flow &flow = passes->flows[kCookie];
    flow.state = state;
    flow.origin.process.tgid = 0x7fffffff;
    flow.origin.connected_at_ns = static_cast<uint64_t>(
        nanoseconds(steady_clock::now().time_since_epoch() - age).count());
    flow.opened_at_ns =
        state == DIRECT_CONNECTING ? 0 : flow.origin.connected_at_ns;
    return flow;
  }

  // LookAtAll returns when the table has been looked through, and `again` times
  // at the flow.
  void LookAtAll(int again = 0) {
    same_node->Start();
    same_node->Changed(0);  // a worker that has nothing to do may stop at once
    for (int i = 0; i < again; ++i) {
      same_node->Changed(kCookie);
    }
    same_node->Stop();
  }
};

TEST_CASE_METHOD(SameNodeFixture,
                 "a connect() that never was is forgotten after a while") {
  Put(DIRECT_CONNECTING, seconds(181));
  passes->has_sockets = false;
  LookAtAll();
  CHECK(passes->flows.empty());
  CHECK(stages.flows->ListClosed().empty());
}

TEST_CASE_METHOD(SameNodeFixture, "a connect() that is under way is not") {
  SECTION("for it is new") {
    Put(DIRECT_CONNECTING, seconds(100));
    passes->has_sockets = false;
  }
  SECTION("for it has a socket") {
    Put(DIRECT_CONNECTING, seconds(181));
  }
  LookAtAll();
  CHECK(passes->flows.size() == 1);
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a flow that nobody can vouch for is ended and recorded") {
  direct_flow &flow = Put(DIRECT_OPEN, seconds(1));
  flow.bytes_sent = 3;
  flow.bytes_received = 5;
  LookAtAll();
  CHECK(passes->ended == 1);
  CHECK(passes->flows.empty());
  const auto closed = stages.flows->ListClosed();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].reason == CloseReason::kRevoked);
  CHECK(closed[0].path == FlowPath::kSockmap);
  CHECK(closed[0].bytes_sent == 3);
  CHECK(closed[0].bytes_received == 5);
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a flow that could not be ended is not shown as ended") {
  Put(DIRECT_OPEN, seconds(1));
  passes->next_end = absl::InternalError("sock_diag");
  SECTION("it stays") {
    LookAtAll();
    CHECK(passes->ended == 0);
    CHECK(passes->flows.size() == 1);
    CHECK(stages.flows->ListClosed().empty());
  }
  SECTION("it is tried again") {
    LookAtAll(1);
    CHECK(passes->ended == 1);
    CHECK(passes->flows.empty());
    CHECK(stages.flows->ListClosed().size() == 1);
  }
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a flow that ended while no agent ran has ended in order") {
  direct_flow &flow = Put(DIRECT_CLOSED, seconds(1));
  flow.closed_from = 5;  // FIN_WAIT2
  LookAtAll();
  const auto closed = stages.flows->ListClosed();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].reason == CloseReason::kClosed);
}

TEST_CASE_METHOD(SameNodeFixture,
                 "an agent that has let go leaves all to its successor") {
  Put(DIRECT_OPEN, seconds(1));
  same_node->LetGo();
  LookAtAll(1);
  CHECK(passes->ended == 0);
  CHECK(passes->flows.size() == 1);
}

}  // namespace
}  // namespace kith
