// SPDX-License-Identifier: Apache-2.0
#include "kith/spiffe_id.h"

#include <string>
#include <utility>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

namespace kith {
namespace {

std::string Repeat(char c, size_t count) {
  return std::string(count, c);
}

TEST_CASE("valid SPIFFE IDs are parsed and normalised") {
  struct Case {
    std::string text;
    std::string uri;
    std::string trust_domain;
    std::string path;
  };
  const auto c = GENERATE(
      Case{"spiffe://example.org/web",
           "spiffe://example.org/web",
           "example.org",
           "/web"},
      Case{"spiffe://example.org", "spiffe://example.org", "example.org", ""},
      Case{"SPIFFE://Example.ORG/Web",
           "spiffe://example.org/Web",
           "example.org",
           "/Web"},
      Case{"spiffe://a_b-c.1/x.y_z-0/A",
           "spiffe://a_b-c.1/x.y_z-0/A",
           "a_b-c.1",
           "/x.y_z-0/A"},
      Case{"spiffe://td/...", "spiffe://td/...", "td", "/..."},
      Case{"spiffe://td/.a", "spiffe://td/.a", "td", "/.a"});
  CAPTURE(c.text);
  const auto id = SpiffeId::Parse(c.text);
  REQUIRE(id.ok());
  CHECK(id->uri() == c.uri);
  CHECK(id->trust_domain() == c.trust_domain);
  CHECK(id->path() == c.path);
}

TEST_CASE("each rule of the standard is enforced and named") {
  struct Case {
    std::string text;
    std::string rule;
  };
  const auto c = GENERATE(
      Case{"", "spiffe://"},
      Case{"spiffe:/td/a", "spiffe://"},
      Case{"https://td/a", "spiffe://"},
      Case{" spiffe://td/a", "spiffe://"},
      Case{"spiffe://", "empty"},
      Case{"spiffe:///a", "empty"},
      Case{"spiffe://td/", "slash"},
      Case{"spiffe://td/a/", "slash"},
      Case{"spiffe://td//a", "empty segment"},
      Case{"spiffe://td/a//b", "empty segment"},
      Case{"spiffe://td/.", "'.'"},
      Case{"spiffe://td/a/../b", "'..'"},
      Case{"spiffe://td/a?q=1", "query"},
      Case{"spiffe://td/a#f", "fragment"},
      Case{"spiffe://td/%61", "percent"},
      Case{"spiffe://td/a b", "path may have"},
      Case{"spiffe://td/a:b", "path may have"},
      Case{"spiffe://td/\xc3\xa4", "path may have"},
      Case{"spiffe://user@td/a", "user"},
      Case{"spiffe://td:80/a", "port"},
      Case{"spiffe://td?q", "query"},
      Case{"spiffe://t%64/a", "percent"},
      Case{"spiffe://t d/a", "trust domain may have"},
      Case{std::string("spiffe://td/a\0b", 15), "path may have"},
      Case{std::string("spiffe://td\0/a", 14), "trust domain may have"});
  CAPTURE(c.text);
  const auto id = SpiffeId::Parse(c.text);
  REQUIRE_FALSE(id.ok());
  CAPTURE(id.status().message());
  CHECK(absl::IsInvalidArgument(id.status()));
  CHECK(id.status().message().find(c.rule) != std::string::npos);
}

TEST_CASE("the length bounds are exact") {
  const std::string td255 = Repeat('a', 255);
  CHECK(SpiffeId::Parse("spiffe://" + td255 + "/a").ok());
  CHECK_FALSE(SpiffeId::Parse("spiffe://" + td255 + "a/a").ok());
  const std::string head = "spiffe://td/";
  CHECK(SpiffeId::Parse(head + Repeat('a', 2048 - head.size())).ok());
  CHECK_FALSE(SpiffeId::Parse(head + Repeat('a', 2049 - head.size())).ok());
}

TEST_CASE("a message about hostile input is short and printable") {
  const auto id =
      SpiffeId::Parse("spiffe://td/\n\x1b[31m" + std::string(2000, 'x'));
  REQUIRE_FALSE(id.ok());
  const std::string message(id.status().message());
  CHECK(message.size() < 400);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.find('\x1b') == std::string::npos);
}

TEST_CASE("a workload path is completed by the trust domain") {
  const auto id = SpiffeId::FromPath("example.org", "demo/web/nginx");
  REQUIRE(id.ok());
  CHECK(id->uri() == "spiffe://example.org/demo/web/nginx");
  for (const char *path : {"", "/a", "a/", "a//b", "..", "a?b"}) {
    CAPTURE(path);
    CHECK_FALSE(SpiffeId::FromPath("example.org", path).ok());
  }
  CHECK_FALSE(SpiffeId::FromPath("Example.org", "a").ok());
  CHECK_FALSE(SpiffeId::FromPath("", "a").ok());
  CHECK_FALSE(SpiffeId::FromPath("td/b", "a").ok());
}

TEST_CASE("an empty ID names nobody") {
  const SpiffeId nobody;
  CHECK(nobody.empty());
  CHECK(nobody.trust_domain().empty());
  CHECK(nobody.path().empty());
  CHECK(nobody != *SpiffeId::Parse("spiffe://td"));
  SpiffeId moved = *SpiffeId::Parse("spiffe://td/a");
  const SpiffeId taken = std::move(moved);
  CHECK(taken.path() == "/a");
  moved = SpiffeId();
  CHECK(moved.path().empty());
}

TEST_CASE("equality ignores the case of scheme and trust domain only") {
  CHECK(*SpiffeId::Parse("SPIFFE://TD/a") == *SpiffeId::Parse("spiffe://td/a"));
  CHECK(*SpiffeId::Parse("spiffe://td/A") != *SpiffeId::Parse("spiffe://td/a"));
}

}  // namespace
}  // namespace kith
