// SPDX-License-Identifier: Apache-2.0
#include "kith/endpoint.h"

#include <arpa/inet.h>

#include <cstring>
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

namespace kith {
namespace {

Endpoint Parsed(std::string_view text) {
  auto endpoint = Endpoint::Parse(text);
  REQUIRE(endpoint.ok());
  return *endpoint;
}

TEST_CASE("an endpoint survives every form it can take") {
  const std::string text = GENERATE(as<std::string>{},
                                    "10.0.0.1:80",
                                    "0.0.0.0:0",
                                    "255.255.255.255:65535",
                                    "[::]:0",
                                    "[::1]:443",
                                    "[fe80::1]:80",
                                    "[2001:db8::ffff:1:2]:65535");
  CAPTURE(text);
  const Endpoint endpoint = Parsed(text);
  CHECK(endpoint.ToString() == text);
  sockaddr_storage address{};
  const socklen_t length = endpoint.ToSockaddr(address);
  CHECK(length ==
        (endpoint.IsV4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)));
  const auto back = Endpoint::FromSockaddr(address);
  REQUIRE(back.ok());
  CHECK(*back == endpoint);
}

TEST_CASE("a mapped IPv4 address is the IPv4 address") {
  CHECK(Parsed("[::ffff:10.0.0.1]:80") == Parsed("10.0.0.1:80"));
  CHECK(Parsed("[::ffff:a00:1]:80").ToString() == "10.0.0.1:80");

  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(80);
  REQUIRE(::inet_pton(AF_INET6, "::ffff:10.0.0.1", &mapped.sin6_addr) == 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &mapped, sizeof(mapped));
  const auto endpoint = Endpoint::FromSockaddr(storage);
  REQUIRE(endpoint.ok());
  CHECK(endpoint->IsV4());
  CHECK(*endpoint == Parsed("10.0.0.1:80"));
}

TEST_CASE("loopback and wildcard of both families") {
  struct Case {
    const char *text;
    bool loopback;
    bool wildcard;
  };
  const auto c = GENERATE(Case{"127.0.0.1:1", true, false},
                          Case{"127.255.0.3:1", true, false},
                          Case{"128.0.0.1:1", false, false},
                          Case{"0.0.0.0:1", false, true},
                          Case{"0.0.0.1:1", false, false},
                          Case{"[::1]:1", true, false},
                          Case{"[::]:1", false, true},
                          Case{"[::2]:1", false, false},
                          Case{"[100::1]:1", false, false});
  CAPTURE(c.text);
  CHECK(Parsed(c.text).IsLoopback() == c.loopback);
  CHECK(Parsed(c.text).IsWildcard() == c.wildcard);
}

TEST_CASE("text that is no endpoint is refused") {
  const std::string text = GENERATE(as<std::string>{},
                                    "",
                                    ":",
                                    ":80",
                                    "10.0.0.1",
                                    "10.0.0.1:",
                                    "10.0.0.1:65536",
                                    "10.0.0.1:-1",
                                    "10.0.0.1:+1",
                                    "10.0.0.1: 80",
                                    "10.0.0.1:99999999999999999999",
                                    "10.0.0:80",
                                    "010.0.0.1:80",
                                    "[10.0.0.1]:80",
                                    "fd00::1:80",
                                    "[fd00::1]",
                                    "[fe80::1%eth0]:80",
                                    "localhost:80",
                                    std::string("10.0.0.1\0:80", 12),
                                    std::string("10.0.0.1:80\0", 12));
  CAPTURE(text);
  CHECK_FALSE(Endpoint::Parse(text).ok());
}

TEST_CASE("socket addresses of other families are refused") {
  sockaddr_storage address{};
  address.ss_family = AF_UNIX;
  CHECK_FALSE(Endpoint::FromSockaddr(address).ok());
}

}  // namespace
}  // namespace kith
