// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "kith/endpoint.h"

namespace kith {
namespace {

TEST_CASE("a prefix is parsed, masked and printed") {
  struct Case {
    const char *text;
    const char *printed;
    int length;
  };
  const auto c = GENERATE(Case{"10.0.0.0/8", "10.0.0.0/8", 104},
                          Case{"10.1.2.3/8", "10.0.0.0/8", 104},
                          Case{"10.1.2.3", "10.1.2.3/32", 128},
                          Case{"0.0.0.0/0", "0.0.0.0/0", 96},
                          Case{"192.168.1.129/25", "192.168.1.128/25", 121},
                          Case{"fd00::/8", "fd00::/8", 8},
                          Case{"fd00::1", "fd00::1/128", 128},
                          Case{"2001:db8::ff/121", "2001:db8::80/121", 121},
                          Case{"::1", "::1/128", 128});
  CAPTURE(c.text);
  const auto prefix = Prefix::Parse(c.text);
  REQUIRE(prefix.ok());
  CHECK(prefix->ToString() == c.printed);
  CHECK(prefix->length == c.length);
}

TEST_CASE("a prefix contains its addresses and no others") {
  struct Case {
    const char *prefix;
    const char *endpoint;
    bool contained;
  };
  const auto c = GENERATE(Case{"10.0.0.0/8", "10.255.0.1:1", true},
                          Case{"10.0.0.0/8", "11.0.0.1:1", false},
                          Case{"10.0.0.0/9", "10.128.0.0:1", false},
                          Case{"10.0.0.0/9", "10.127.255.255:1", true},
                          Case{"0.0.0.0/0", "1.2.3.4:1", true},
                          Case{"0.0.0.0/0", "[2001:db8::1]:1", false},
                          Case{"10.0.0.1", "10.0.0.1:1", true},
                          Case{"10.0.0.1", "10.0.0.0:1", false},
                          Case{"2000::/3", "[3fff::1]:1", true},
                          Case{"2000::/3", "[4000::1]:1", false},
                          Case{"2000::/3", "10.0.0.1:1", false},
                          Case{"fd00::1", "[fd00::1]:1", true});
  CAPTURE(c.prefix, c.endpoint);
  const auto prefix = Prefix::Parse(c.prefix);
  const auto endpoint = Endpoint::Parse(c.endpoint);
  REQUIRE((prefix.ok() && endpoint.ok()));
  CHECK(prefix->Contains(*endpoint) == c.contained);
}

TEST_CASE("the default prefix contains both families") {
  CHECK(Prefix{}.Contains(*Endpoint::Parse("10.0.0.1:1")));
  CHECK(Prefix{}.Contains(*Endpoint::Parse("[fd00::1]:1")));
}

TEST_CASE("text that is no network is refused") {
  const std::string text = GENERATE(as<std::string>{},
                                    "",
                                    "/8",
                                    "10.0.0.0/",
                                    "10.0.0.0/33",
                                    "10.0.0.0/-1",
                                    "10.0.0.0/+8",
                                    "10.0.0.0/08x",
                                    "10.0.0.0/8/8",
                                    "10.0.0.0/4294967304",
                                    "10.0.0/8",
                                    "fd00::/129",
                                    "[fd00::]/8",
                                    "example.org/8",
                                    "fe80::1%lo/64",
                                    std::string("10.0.0.1\0", 9));
  CAPTURE(text);
  CHECK_FALSE(Prefix::Parse(text).ok());
}

TEST_CASE("an IPv6 network that would cover IPv4 is refused with advice") {
  const char *text = GENERATE("::/0", "::/1", "::/80", "::ffff:0:0/95");
  CAPTURE(text);
  const auto prefix = Prefix::Parse(text);
  REQUIRE_FALSE(prefix.ok());
  CHECK(prefix.status().message().find("0.0.0.0/0") != std::string::npos);
}

}  // namespace
}  // namespace kith
