// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/trace_filter.h"

#include <catch2/catch_test_macros.hpp>

#include "test/fakes/fake_agent_view.h"

namespace kith {
namespace {

constexpr char kServer[] = "spiffe://example.org/demo/server";

// Undecided returns a step of a flow of which neither owner nor identities are
// known yet.
TraceEvent Undecided(const std::string &step, uint64_t flow_id) {
  TraceEvent event = ExampleEvent(step, flow_id);
  event.flow.process = {};
  event.flow.local = {};
  event.flow.peer = {};
  return event;
}

TEST_CASE("without a filter everything passes at once") {
  TraceFilter filter({});
  CHECK(filter.Pass(Undecided("connect", 1)).size() == 1);
}

TEST_CASE("a timeline is shown with its beginning once it is the wanted one") {
  TraceFilter filter({.pid = std::nullopt, .spiffe_id = kServer});
  CHECK(filter.Pass(Undecided("connect", 1)).empty());
  CHECK(filter.Pass(Undecided("connect", 2)).empty());
  const auto passed = filter.Pass(ExampleEvent("authorise", 1));
  REQUIRE(passed.size() == 2);
  CHECK(passed[0].step == "connect");
  CHECK(passed[0].flow.id == 1);
  CHECK(passed[1].step == "authorise");
  CHECK(filter.Pass(ExampleEvent("close", 1)).size() == 1);
}

TEST_CASE("flows of others are dropped with what was kept of them") {
  TraceFilter filter({.pid = 41, .spiffe_id = ""});
  CHECK(filter.Pass(Undecided("connect", 1)).empty());
  CHECK(filter.Pass(ExampleEvent("attest", 1)).empty());  // pid 42
  TraceEvent ours = ExampleEvent("attest", 2);
  ours.flow.process.pid = 41;
  CHECK(filter.Pass(ours).size() == 1);
}

TEST_CASE("a flow that ends undecided is not the wanted one") {
  TraceFilter filter({.pid = 42, .spiffe_id = ""});
  CHECK(filter.Pass(Undecided("connect", 1)).empty());
  CHECK(filter.Pass(Undecided("close", 1)).empty());
  // The beginning was forgotten with the close.
  CHECK(filter.Pass(ExampleEvent("path", 1)).size() == 1);
}

TEST_CASE("undecided flows are bounded, the oldest goes first") {
  TraceFilter filter({.pid = 42, .spiffe_id = ""});
  for (uint64_t id = 0; id <= TraceFilter::kMaxUndecided; ++id) {
    CHECK(filter.Pass(Undecided("connect", id)).empty());
  }
  CHECK(filter.Pass(ExampleEvent("attest", 0)).size() == 1);
  CHECK(filter.Pass(ExampleEvent("attest", 1)).size() == 2);
}

}  // namespace
}  // namespace kith
