// SPDX-License-Identifier: Apache-2.0
// What becomes of direct flows of which the table in the kernel tells.
#include "agent/direct/same_node.h"

#include <catch2/catch_test_macros.hpp>

#include "test/fakes/fake_flow_context.h"
#include "test/unit/direct/fake_grants.h"

namespace kith {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kCookie = 7;

// SameNodeFixture is an agent that knows no workload and has given no grant.
struct SameNodeFixture {
  FakeFlowContext fakes;
  FakeGrants grants;
  std::shared_ptr<const ResourceSet> resources =
      std::make_shared<ResourceSet>();
  FlowRevocation revocation{{.flows = *fakes.flows,
                             .svids = fakes.svids,
                             .authorizer = fakes.authorizer,
                             .resources = [this] { return resources; },
                             .reattest =
                                 [](const ProcessFacts &) {
                                   return absl::NotFoundError("it is gone");
                                 }}};
  EventLoops loops{1};
  SameNode same_node{{.grants = grants,
                      .flow = fakes.context,
                      .revocation = revocation,
                      .resources = [this] { return resources; },
                      .loops = loops}};

  SameNodeFixture() { loops.Start(); }
  ~SameNodeFixture() { loops.Stop(); }

  // A flow that connected so long ago, of a process that is gone.
  DirectFlow &Put(DirectFlow::State state, seconds age) {
    DirectFlow &flow = grants.flows[kCookie];
    flow.state = state;
    flow.origin.process.tgid = 0x7fffffff;
    flow.origin.connected_at_ns = static_cast<uint64_t>(
        nanoseconds(steady_clock::now().time_since_epoch() - age).count());
    flow.opened_at_ns = state == DirectFlow::State::kConnecting
                            ? 0
                            : flow.origin.connected_at_ns;
    return flow;
  }

  // LookAtAll returns when the table has been looked through, and `again` times
  // at the flow.
  void LookAtAll(int again = 0) {
    same_node.Start();
    same_node.Changed(0);  // a worker that has nothing to do may stop at once
    for (int i = 0; i < again; ++i) {
      same_node.Changed(kCookie);
    }
    same_node.Stop();
  }
};

TEST_CASE_METHOD(SameNodeFixture,
                 "a connect() that never was is forgotten after a while") {
  Put(DirectFlow::State::kConnecting, seconds(181));
  grants.has_sockets = false;
  LookAtAll();
  CHECK(grants.flows.empty());
  CHECK(fakes.flows->ListClosed().empty());
}

TEST_CASE_METHOD(SameNodeFixture, "a connect() that is under way is not") {
  SECTION("for it is new") {
    Put(DirectFlow::State::kConnecting, seconds(100));
    grants.has_sockets = false;
  }
  SECTION("for it has a socket") {
    Put(DirectFlow::State::kConnecting, seconds(181));
  }
  LookAtAll();
  CHECK(grants.flows.size() == 1);
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a flow that nobody can vouch for is ended and recorded") {
  DirectFlow &flow = Put(DirectFlow::State::kOpen, seconds(1));
  flow.bytes_sent = 3;
  flow.bytes_received = 5;
  LookAtAll();
  CHECK(grants.ended == 1);
  CHECK(grants.flows.empty());
  const auto closed = fakes.flows->ListClosed();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].reason == CloseReason::kRevoked);
  CHECK(closed[0].path == FlowPath::kDirect);
  CHECK(closed[0].bytes_sent == 3);
  CHECK(closed[0].bytes_received == 5);
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a flow that could not be ended is not shown as ended") {
  Put(DirectFlow::State::kOpen, seconds(1));
  grants.next_end = absl::InternalError("sock_diag");
  SECTION("it stays") {
    LookAtAll();
    CHECK(grants.ended == 0);
    CHECK(grants.flows.size() == 1);
    CHECK(fakes.flows->ListClosed().empty());
  }
  SECTION("it is tried again") {
    LookAtAll(1);
    CHECK(grants.ended == 1);
    CHECK(grants.flows.empty());
    CHECK(fakes.flows->ListClosed().size() == 1);
  }
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a flow that ended while no agent ran has ended in order") {
  DirectFlow &flow = Put(DirectFlow::State::kClosed, seconds(1));
  flow.closed_from = 5;  // FIN_WAIT2
  LookAtAll();
  const auto closed = fakes.flows->ListClosed();
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].reason == CloseReason::kClosed);
}

TEST_CASE_METHOD(
    SameNodeFixture,
    "an agent that has exported its flows leaves them to its child") {
  Put(DirectFlow::State::kOpen, seconds(1));
  same_node.Export();
  LookAtAll(1);
  CHECK(grants.ended == 0);
  CHECK(grants.flows.size() == 1);
}

// A connection under mutual TLS, as one of its two ends has it.
struct Handshakes {
  SameNodeFixture &node;
  const char *server = "127.0.0.1:80";
  uint64_t generation = 0;

  OpenFlow End(FlowDirection direction) const {
    FlowRecord record;
    record.direction = direction;
    record.opened_at = std::chrono::system_clock::now();
    FlowPermit permit;
    permit.generation = generation;
    permit.direction = direction;
    auto process = std::make_shared<AttestedProcess>();
    process->facts.tgid = direction == FlowDirection::kOutbound ? 1 : 2;
    permit.process = process;
    permit.local = *SpiffeId::Parse("spiffe://example.org/a");
    permit.peer = *SpiffeId::Parse("spiffe://example.org/b");
    const Endpoint client = *Endpoint::Parse("127.0.0.1:1000");
    const Endpoint listener = *Endpoint::Parse(server);
    const bool dialled = direction == FlowDirection::kOutbound;
    return {.flow = node.fakes.flows->Open(record),
            .permit = std::make_shared<const FlowPermit>(permit),
            .netns_cookie = 9,
            .outer_local = dialled ? client : listener,
            .outer_remote = dialled ? listener : client,
            .process = {.tgid = dialled ? 1U : 0U}};
  }

  // Meet returns what was granted when both ends are secured.
  std::vector<GrantRequest> Meet() const {
    const OpenFlow client = End(FlowDirection::kOutbound);
    const OpenFlow answering = End(FlowDirection::kInbound);
    node.same_node.Start();
    node.same_node.Secured(client);
    node.same_node.Secured(answering);
    node.same_node.Stop();
    FlowEnd end;
    node.same_node.Ended(client, end);
    node.same_node.Ended(answering, end);
    return node.grants.given;
  }
};

TEST_CASE_METHOD(SameNodeFixture,
                 "a handshake inside the node grants the next connections") {
  const auto given = Handshakes{*this}.Meet();
  REQUIRE(given.size() == 1);
  CHECK(given[0].client.tgid == 1);
  CHECK(given[0].server.tgid == 2);
  CHECK(given[0].netns_cookie == 9);
  CHECK(given[0].destination.ToString() == "127.0.0.1:80");
  CHECK(given[0].lifetime == SameNode::kGrantLifetime);
  CHECK(fakes.inner_sockets.shown.size() == 2);  // each side is told
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a handshake over the network grants nothing") {
  CHECK(Handshakes{*this, "10.0.0.1:80"}.Meet().empty());
}

TEST_CASE_METHOD(SameNodeFixture,
                 "a handshake by older documents grants nothing") {
  CHECK(Handshakes{*this, "127.0.0.1:80", 7}.Meet().empty());
}

TEST_CASE_METHOD(
    SameNodeFixture,
    "an agent that has exported its flows grants nothing, until it "
    "is rolled back") {
  same_node.Export();
  SECTION("not") {
    CHECK(Handshakes{*this}.Meet().empty());
  }
  SECTION("rolled back") {
    same_node.Rollback();
    CHECK(Handshakes{*this}.Meet().size() == 1);
  }
}

}  // namespace
}  // namespace kith
