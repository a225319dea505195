// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/close_reason.h"

#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

TEST_CASE("every reason has its own snake_case name") {
  std::set<std::string> names;
  const int count = static_cast<int>(CloseReason::kAgentStopped) + 1;
  for (int i = 0; i < count; ++i) {
    const std::string name(ReasonName(static_cast<CloseReason>(i)));
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") ==
          std::string::npos);
    names.insert(name);
  }
  CHECK(names.size() == static_cast<size_t>(count));
}

TEST_CASE("the names that the interface promises") {
  CHECK(ReasonName(CloseReason::kDenied) == "denied");
  CHECK(ReasonName(CloseReason::kHandshakeFailed) == "handshake_failed");
  CHECK(ReasonName(CloseReason::kDialFailed) == "dial_failed");
  CHECK(ReasonName(CloseReason::kNoSvid) == "no_svid");
  CHECK(ReasonName(CloseReason::kPlaintextRefused) == "plaintext_refused");
}

}  // namespace
}  // namespace kith
