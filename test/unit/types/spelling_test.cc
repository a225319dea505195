// SPDX-License-Identifier: Apache-2.0
#include "agent/types/spelling.h"

#include <array>
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

namespace kith {
namespace {

TEST_CASE("the nearest known word is suggested, and none that is far") {
  constexpr std::array<std::string_view, 3> kKnown = {
      "process:name", "process:uid", "stateDir"};
  struct Case {
    std::string word;
    std::string suggestion;
  };
  const auto c =
      GENERATE(Case{"proces:name", "; did you mean 'process:name'?"},
               Case{"process:nmae", "; did you mean 'process:name'?"},
               Case{"statedir", "; did you mean 'stateDir'?"},
               Case{"process:pid", "; did you mean 'process:uid'?"},
               Case{"completely-else", ""},
               Case{"x", ""},
               Case{"", ""},
               Case{std::string(100'000, 'a'), ""});
  CHECK(DidYouMean(c.word, kKnown) == c.suggestion);
}

TEST_CASE("nothing known, nothing suggested") {
  CHECK(DidYouMean("name", {}).empty());
}

}  // namespace
}  // namespace kith
