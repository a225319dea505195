// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/alert.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

TEST_CASE("alerts have the names of RFC 8446 section 6") {
  CHECK(AlertName(0) == "close_notify");
  CHECK(AlertName(20) == "bad_record_mac");
  CHECK(AlertName(42) == "bad_certificate");
  CHECK(AlertName(45) == "certificate_expired");
  CHECK(AlertName(48) == "unknown_ca");
  CHECK(AlertName(49) == "access_denied");
  CHECK(AlertName(70) == "protocol_version");
  CHECK(AlertName(116) == "certificate_required");
  CHECK(AlertName(120) == "no_application_protocol");
  CHECK(AlertName(200) == "alert_200");
}

}  // namespace
}  // namespace kith
