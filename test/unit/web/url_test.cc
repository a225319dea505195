// SPDX-License-Identifier: Apache-2.0
#include "agent/types/url.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

TEST_CASE("what a URL says") {
  const auto url = ParseUrl("https://b.example:8443/bundle?x=1");
  REQUIRE(url.ok());
  CHECK(url->tls);
  CHECK(url->host == "b.example");
  CHECK(url->port == 8443);
  CHECK(url->target == "/bundle?x=1");
  CHECK(ParseUrl("https://b.example")->target == "/");
  CHECK(ParseUrl("https://b.example")->authority() == "b.example:443");
  CHECK(ParseUrl("https://b.example?x")->target == "/?x");
  CHECK(ParseUrl("https://[fd00::1]:9/")->authority() == "[fd00::1]:9");
  CHECK_FALSE(ParseUrl("http://127.0.0.1:80/keys")->tls);
}

TEST_CASE("what is no URL to fetch from") {
  for (const char *wrong : {"",
                            "b.example",
                            "ftp://b",
                            "https://",
                            "https:///x",
                            "https://a@b/",
                            "https://a:b@c/",
                            "https://b:0/",
                            "https://b:65536/",
                            "https://b:x/",
                            "https://[fd00::1/",
                            "https://[]/",
                            "https://b/#x",
                            "https://b/ x",
                            "https://b/\r\nHost: c",
                            "http://b.example/",
                            "https://b c/"}) {
    CAPTURE(wrong);
    CHECK(ParseUrl(wrong).status().code() ==
          absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace kith
