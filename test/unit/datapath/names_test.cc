// SPDX-License-Identifier: Apache-2.0
// What works without any privilege.
#include <algorithm>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "abi/counters.h"
#include "agent/datapath/datapath.h"
#include "agent/datapath/features.h"
#include "agent/datapath/pin_directory.h"

namespace kith {
namespace {

#define KITH_COUNTER_NAME(suffix, name) #name,
const std::vector<std::string> kNames = {KITH_COUNTERS(KITH_COUNTER_NAME)};
#undef KITH_COUNTER_NAME

TEST_CASE("each counter has one name") {
  CHECK(kNames.size() == COUNTER_COUNT);
  CHECK(std::set<std::string>(kNames.begin(), kNames.end()).size() ==
        kNames.size());
  CHECK(kNames[COUNTER_CONNECT_CAPTURED] == "connect_captured");
  CHECK(kNames[COUNTER_NETNS_NOT_READY] == "netns_not_ready");
}

TEST_CASE("pins have names that a BPF file system takes") {
  for (const std::string &name : {PinDirectory::MapName("verdicts"),
                                  PinDirectory::LinkName("kith_connect4"),
                                  PinDirectory::NetnsLinkName(~uint64_t{0})}) {
    INFO(name);
    CHECK(name.find('.') == std::string::npos);
    CHECK(name.size() < 64);
  }
}

TEST_CASE("the doctor says of every feature what it is for") {
  const auto features = ProbeFeatures("auto");
  CHECK(features.size() > 10);
  for (const Feature &feature : features) {
    INFO(feature.name);
    CHECK_FALSE(feature.needed.empty());
    CHECK_FALSE(feature.detail.empty());
  }
  const bool has_btf =
      std::any_of(features.begin(), features.end(), [](const Feature &feature) {
        return feature.name == "BTF";
      });
  CHECK(has_btf);
}

TEST_CASE("the doctor tells a directory that is no cgroup") {
  const auto features = ProbeFeatures("/proc");
  const auto cgroup = std::find_if(
      features.begin(), features.end(), [](const Feature &feature) {
        return feature.name == "cgroup v2";
      });
  REQUIRE(cgroup != features.end());
  CHECK_FALSE(cgroup->found);
}

}  // namespace
}  // namespace kith
