// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"

#include "agent/policy/identity_match.h"
#include "test/unit/policy/documents.h"

namespace kith {
namespace {

using Values = std::vector<std::string>;

Attestation Curl() {
  return {.selectors = {{"process:name", "curl", "/proc/7/comm"},
                        {"process:uid", "1000", "/proc/7/status"},
                        {"process:gid:additional", "4", "/proc/7/status"},
                        {"process:gid:additional", "27", "/proc/7/status"}},
          .failures = {{.attestor = "binary hash",
                        .status = absl::UnavailableError("read: EIO"),
                        .keys = {"process:binary:hash"}}}};
}

std::string Identity(const std::string &name, const std::string &selectors) {
  return IdentityYaml(name,
                      "workloadID: " + name + "\nselectors: " + selectors);
}

std::vector<IdentityVerdict> Explain(const std::string &documents) {
  return ExplainMatch(ReadOk(documents), Curl());
}

TEST_CASE("each selector is explained: wanted, observed, source, verdict") {
  const auto verdicts =
      Explain(Identity("a",
                       "[{process:name: [wget, curl], process:uid: 0, "
                       "unix:supplementary_gid: 27, systemd:id: a.service, "
                       "destination:port: 80}]"));
  REQUIRE(verdicts.size() == 1);
  CHECK_FALSE(verdicts[0].matched);
  CHECK(verdicts[0].missing == 2);
  REQUIRE(verdicts[0].maps.size() == 1);
  CHECK_FALSE(verdicts[0].maps[0].matched);
  const auto &terms = verdicts[0].maps[0].terms;
  REQUIRE(terms.size() == 5);

  CHECK(terms[0].wanted == Values{"wget", "curl"});
  CHECK(terms[0].observed == Values{"curl"});
  CHECK(terms[0].source == "/proc/7/comm");
  CHECK(terms[0].matched);

  CHECK(terms[1].observed == Values{"1000"});
  CHECK_FALSE(terms[1].matched);
  CHECK_FALSE(terms[1].unknown);

  CHECK(terms[2].key == "process:gid:additional");
  CHECK(terms[2].observed == Values{"4", "27"});
  CHECK(terms[2].matched);

  CHECK(terms[3].observed.empty());
  CHECK(terms[3].source.empty());
  CHECK_FALSE(terms[3].matched);

  CHECK(terms[4].depends_on_flow);
  CHECK(terms[4].matched);
}

TEST_CASE("a failed attestor is named as the source") {
  const auto verdicts = Explain(
      Identity("a", "[{process:binary:hash: " + std::string(64, '0') + "}]"));
  const TermVerdict &term = verdicts.at(0).maps.at(0).terms.at(0);
  CHECK(term.unknown);
  CHECK_FALSE(term.matched);
  CHECK(term.source == "binary hash: read: EIO");
}

TEST_CASE("the matching ones come first, then the nearest misses") {
  const auto verdicts = Explain(
      Identity("three", "[{systemd:id: a, cgroup:path: /a, linuxos:name: a}]") +
      Identity("one", "[{process:name: wget}]") +
      Identity("one-of-three",
               "[{process:name: curl, process:uid: 1000, systemd:id: a}]") +
      Identity("match", "[{process:uid: 5}, {process:name: curl}]") +
      Identity("two", "[{systemd:id: a, cgroup:path: /a}]") +
      Identity("match-by-port", "[{destination:port: 80}]"));
  std::vector<std::string> order;
  std::vector<size_t> missing;
  for (const IdentityVerdict &verdict : verdicts) {
    order.push_back(verdict.identity->name);
    missing.push_back(verdict.missing);
    CHECK(verdict.matched == (verdict.missing == 0));
  }
  CHECK(
      order ==
      Values{"match", "match-by-port", "one-of-three", "one", "two", "three"});
  CHECK(missing == std::vector<size_t>{0, 0, 1, 1, 2, 3});
}

}  // namespace
}  // namespace kith
