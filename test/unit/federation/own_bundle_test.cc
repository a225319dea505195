// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/own_bundle.h"

#include <catch2/catch_test_macros.hpp>

#include "test/fakes/fake_clock.h"
#include "test/fakes/svid_forge.h"
#include "test/fakes/temporary_directory.h"

namespace kith {
namespace {

using std::chrono::seconds;

const Clock::TimePoint kNow{seconds(1'800'000'000)};

TEST_CASE("the number grows with each change, over restarts and odd clocks") {
  const TemporaryDirectory directory;
  const std::string file = directory.File("federation/own.json");
  const Authorities one =
      SvidForge::InMemory("example.org", kNow).value().authorities();
  const Authorities other =
      SvidForge::InMemory("example.org", kNow).value().authorities();
  FakeClock clock(kNow);
  const auto sequence = [](OwnBundle &own, const Authorities &of) {
    const auto document =
        ParseBundleDocument(own.Document(of).value(), "example.org");
    REQUIRE(document.ok());
    CHECK(document->authorities == of);
    CHECK(document->refresh_hint == seconds(60));
    return *document->sequence;
  };
  OwnBundle own(file, seconds(60), clock);
  const int64_t first = sequence(own, one);
  CHECK(first == 1'800'000'000);
  clock.Advance(seconds(5));
  CHECK(sequence(own, one) == first);
  CHECK(sequence(own, other) == first + 5);
  CHECK(sequence(own, one) == first + 6);
  Authorities revoking = one;
  revoking.crls.push_back({1});
  CHECK(own.Document(revoking) == own.Document(one));
  OwnBundle again(file, seconds(60), clock);
  CHECK(sequence(again, one) == first + 6);
  CHECK(sequence(again, other) == first + 7);
}

}  // namespace
}  // namespace kith
