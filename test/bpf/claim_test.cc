// SPDX-License-Identifier: Apache-2.0
// Two agents never share a process.
#include <catch2/catch_test_macros.hpp>

#include "agent/datapath/features.h"
#include "test/bpf/rig/agent.h"

namespace kith {
namespace {

absl::Status CreateIn(const TestCgroup &cgroup) {
  return Datapath::Create(TestAgent::OptionsFor(cgroup)).status();
}

TEST_CASE("an agent keeps others off its cgroup and around it") {
  TestCgroup outer;
  TestCgroup managed(outer, "managed");
  TestCgroup inner(managed, "inner");
  TestCgroup sibling(outer, "sibling");
  {
    auto agent = Datapath::Create(TestAgent::OptionsFor(managed));
    REQUIRE(agent.ok());
    CHECK(absl::IsAlreadyExists(CreateIn(managed)));
    CHECK(absl::IsAlreadyExists(CreateIn(inner)));
    CHECK(absl::IsAlreadyExists(CreateIn(outer)));
    CHECK(CreateIn(sibling).ok());
  }
  CHECK(CreateIn(managed).ok());
  CHECK(CreateIn(inner).ok());
  CHECK(CreateIn(outer).ok());
}

TEST_CASE("what is no cgroup is refused with its name") {
  Datapath::Options options;
  options.cgroup = "/proc";
  auto created = Datapath::Create(std::move(options));
  CHECK(absl::IsFailedPrecondition(created.status()));
  CHECK(created.status().message().find("/proc") != std::string::npos);
}

TEST_CASE("every feature that this machine needs is found") {
  for (const Feature &feature : ProbeFeatures("auto")) {
    INFO(feature.name << ": " << feature.detail);
    CHECK((feature.found || feature.needed != "required"));
  }
}

}  // namespace
}  // namespace kith
