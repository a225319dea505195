// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/identity_match.h"

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "test/unit/policy/documents.h"

namespace kith {
namespace {

using Names = std::vector<std::string>;

std::string Identity(const std::string &name, const std::string &selectors) {
  return IdentityYaml(name,
                      "workloadID: " + name + "\nselectors: " + selectors);
}

// nginx of user 33 with groups 33 and 4.
Attestation Nginx() {
  return {.selectors = {{"process:name", "nginx", "/proc/7/comm"},
                        {"process:cmdline", "nginx -g daemon off;", "cmdline"},
                        {"process:uid", "33", "status"},
                        {"process:gid:additional", "33", "status"},
                        {"process:gid:additional", "4", "status"}}};
}

// The same, but its executable could not be hashed.
Attestation Unhashed(absl::StatusCode code = absl::StatusCode::kUnavailable) {
  Attestation attestation = Nginx();
  attestation.failures.push_back({.attestor = "process binary hash",
                                  .status = absl::Status(code, "read: EIO"),
                                  .keys = {"process:binary:hash"}});
  return attestation;
}

TEST_CASE("who is nginx") {
  struct Case {
    std::string what;
    std::string documents;
    uint16_t port;
    std::string chosen;
    Names tied;
  };
  const auto c = GENERATE(
      Case{"nobody is wanted", "# none\n", 80, "", {}},
      Case{"exact", Identity("a", "[{process:name: nginx}]"), 80, "a", {}},
      Case{"no prefix", Identity("a", "[{process:name: ngin}]"), 80, "", {}},
      Case{"no longer", Identity("a", "[{process:name: nginxx}]"), 80, "", {}},
      Case{"case counts", Identity("a", "[{process:name: Nginx}]"), 80, "", {}},
      Case{"cmdline prefix",
           Identity("a", "[{process:cmdline: nginx -g}]"),
           80,
           "a",
           {}},
      Case{"cmdline is no substring",
           Identity("a", "[{process:cmdline: -g}]"),
           80,
           "",
           {}},
      Case{"all keys of a map",
           Identity("a", "[{process:name: nginx, process:uid: 33}]"),
           80,
           "a",
           {}},
      Case{"not all keys of a map",
           Identity("a", "[{process:name: nginx, process:uid: 0}]"),
           80,
           "",
           {}},
      Case{"any map",
           Identity("a", "[{process:name: curl}, {process:uid: 33}]"),
           80,
           "a",
           {}},
      Case{"any value",
           Identity("a", "[{process:name: [curl, nginx]}]"),
           80,
           "a",
           {}},
      Case{"a number is its decimal text",
           Identity("a", "[{process:uid: \"33\"}]"),
           80,
           "a",
           {}},
      Case{"a key with several facts",
           Identity("a", "[{unix:supplementary_gid: 4}]"),
           80,
           "a",
           {}},
      Case{"a fact that is not there",
           Identity("a", "[{systemd:id: nginx.service}]"),
           80,
           "",
           {}},
      Case{"no attestor yet", Identity("a", "[{k8s:ns: prod}]"), 80, "", {}},
      Case{"the port", Identity("a", "[{destination:port: 80}]"), 80, "a", {}},
      Case{"one of the ports",
           Identity("a", "[{destination:port: [80, 8080]}]"),
           8080,
           "a",
           {}},
      Case{"another port",
           Identity("a", "[{process:name: nginx, destination:port: 80}]"),
           81,
           "",
           {}},
      Case{"more keys win",
           Identity("a", "[{process:name: nginx}]") +
               Identity("b", "[{process:name: nginx, process:uid: 33}]"),
           80,
           "b",
           {}},
      Case{"more keys that do not match lose",
           Identity("a", "[{process:name: nginx}]") +
               Identity("b", "[{process:name: nginx, process:uid: 0}]"),
           80,
           "a",
           {}},
      Case{"the largest matching map counts",
           Identity("a", "[{process:name: nginx, process:uid: 33}]") +
               Identity("b",
                        "[{process:name: nginx}, {process:name: nginx, "
                        "process:uid: 33, destination:port: 80}]"),
           80,
           "b",
           {}},
      Case{"the port decides per flow",
           Identity("a", "[{process:name: nginx}]") +
               Identity("b", "[{process:name: nginx, destination:port: 80}]"),
           81,
           "a",
           {}},
      Case{"a tie",
           Identity("b", "[{process:name: nginx}]") +
               Identity("a", "[{process:uid: 33}]"),
           80,
           "",
           {"a", "b"}},
      Case{"a tie below the best is none",
           Identity("a", "[{process:name: nginx}]") +
               Identity("b", "[{process:uid: 33}]") +
               Identity("c", "[{process:name: nginx, process:uid: 33}]"),
           80,
           "c",
           {}},
      Case{"the same answer twice is no tie",
           IdentityYaml("x", "workloadID: w\nselectors: [{process:uid: 33}]") +
               IdentityYaml("y",
                            "workloadID: w\nselectors: [{process:name: "
                            "nginx}]"),
           80,
           "x",
           {}},
      Case{"the same ID with another policy is a tie",
           IdentityYaml("x", "workloadID: w\nselectors: [{process:uid: 33}]") +
               IdentityYaml("y",
                            "workloadID: w\nselectors: [{process:name: nginx}]"
                            "\nallowedSPIFFEIDs: {inbound: []}"),
           80,
           "",
           {"x", "y"}});
  CAPTURE(c.what);
  const ResourceSet set = ReadOk(c.documents);
  const IdentityChoice choice = ChooseIdentity(set, Nginx(), c.port);
  CHECK((choice.identity ? choice.identity->name : "") == c.chosen);
  CHECK(choice.tied == c.tied);
  CHECK(choice.undetermined.empty());
}

const std::string kHash = "process:binary:hash: " + std::string(64, '0');

TEST_CASE("a fact that could not be found out never decides") {
  struct Case {
    std::string what;
    std::string documents;
    std::string chosen;
    Names undetermined;
  };
  const auto c =
      GENERATE(Case{"it may be", Identity("a", "[{" + kHash + "}]"), "", {"a"}},
               Case{"another key says no",
                    Identity("a", "[{process:name: curl, " + kHash + "}]"),
                    "",
                    {}},
               Case{"it would be more specific",
                    Identity("a", "[{process:name: nginx}]") +
                        Identity("b", "[{process:name: nginx, " + kHash + "}]"),
                    "",
                    {"b"}},
               Case{"it would tie",
                    Identity("a", "[{process:name: nginx}]") +
                        Identity("b", "[{" + kHash + "}]"),
                    "",
                    {"b"}},
               Case{"it would lose",
                    Identity("a", "[{process:name: nginx, process:uid: 33}]") +
                        Identity("b", "[{" + kHash + "}]"),
                    "a",
                    {}},
               Case{"it is the same one",
                    Identity("a",
                             "[{process:name: nginx}, {process:name: nginx, " +
                                 kHash + "}]"),
                    "a",
                    {}});
  CAPTURE(c.what);
  const ResourceSet set = ReadOk(c.documents);
  const IdentityChoice choice = ChooseIdentity(set, Unhashed(), 80);
  CHECK((choice.identity ? choice.identity->name : "") == c.chosen);
  CHECK(choice.undetermined == c.undetermined);
}

TEST_CASE("an attestor that knows there is no such fact decides") {
  const ResourceSet set = ReadOk(Identity("a", "[{" + kHash + "}]"));
  const Attestation attestation = Unhashed(absl::StatusCode::kNotFound);
  CHECK(ChooseIdentity(set, attestation, 80).undetermined.empty());
  CHECK_FALSE(MayBeWorkload(set, attestation));
}

TEST_CASE("who may be a workload") {
  struct Case {
    std::string selectors;
    bool known;    // all facts known
    bool unknown;  // the hash unknown
  };
  const auto c = GENERATE(
      Case{"[{process:name: nginx}]", true, true},
      Case{"[{process:name: curl}]", false, false},
      Case{"[{destination:port: 80}]", true, true},
      Case{"[{process:name: nginx, destination:port: 1}]", true, true},
      Case{"[{process:name: curl, destination:port: 1}]", false, false},
      Case{"[{" + kHash + "}]", false, true},
      Case{"[{process:name: curl, " + kHash + "}]", false, false});
  CAPTURE(c.selectors);
  const ResourceSet set = ReadOk(Identity("a", c.selectors));
  CHECK(MayBeWorkload(set, Nginx()) == c.known);
  CHECK(MayBeWorkload(set, Unhashed()) == c.unknown);
}

TEST_CASE("a process about which nothing is known is nobody") {
  const ResourceSet set = ReadOk(Identity("a", "[{process:name: nginx}]"));
  CHECK(ChooseIdentity(set, {}, 80).identity == nullptr);
  CHECK_FALSE(MayBeWorkload(set, {}));
}

}  // namespace
}  // namespace kith
