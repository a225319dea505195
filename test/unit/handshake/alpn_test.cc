// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/alpn.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using Names = std::vector<std::string>;

std::string Choose(const std::vector<std::string_view> &offered,
                   const std::optional<Names> &accepted = std::nullopt) {
  return std::string(ChooseAlpn(offered, accepted));
}

TEST_CASE("without a list, what a client needs to go on is selected") {
  CHECK(Choose({"h2", "http/1.1", "kith/1"}) == "kith/1");
  CHECK(Choose({"h2"}) == "h2");
  CHECK(Choose({"grpc-exp", "h2"}) == "h2");
  CHECK(Choose({"h2", "http/1.1"}) == "http/1.1");
  CHECK(Choose({"http/1.1"}) == "http/1.1");
  CHECK(Choose({"h2", "postgresql"}).empty());
  CHECK(Choose({"postgresql"}).empty());
  CHECK(Choose({"kith/2", "KITH/1"}).empty());
  CHECK(Choose({}).empty());
}

TEST_CASE("a list is in the order of the server, and is all there is") {
  CHECK(Choose({"http/1.1", "h2"}, Names{"h2", "http/1.1"}) == "h2");
  CHECK(Choose({"kith/1", "h2"}, Names{"h2"}) == "h2");
  CHECK(Choose({"kith/1"}, Names{"h2"}).empty());
  CHECK(Choose({"postgresql"}, Names{"postgresql"}) == "postgresql");
  CHECK(Choose({"kith/1", "h2"}, Names{}).empty());
}

TEST_CASE("lists of names are what RFC 7301 has") {
  const std::vector<uint8_t> list = EncodeAlpn({"kith/1", "h2"});
  CHECK(std::string(list.begin(), list.end()) == "\6kith/1\2h2");
  CHECK(ParseAlpn(list) == std::vector<std::string_view>{"kith/1", "h2"});
  CHECK(EncodeAlpn({}).empty());
  const std::vector<uint8_t> cut(list.begin(), list.end() - 1);
  CHECK(ParseAlpn(cut) == std::vector<std::string_view>{"kith/1"});
  CHECK(ParseAlpn({}).empty());
}

}  // namespace
}  // namespace kith
