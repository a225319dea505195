// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "test/unit/cli/cli_fixture.h"

namespace kith {
namespace {

using absl::StrContains;

constexpr char kIdentity[] = R"(apiVersion: kith.dev/v1alpha1
kind: WorkloadIdentity
metadata: {name: web}
spec:
  workloadID: demo/web
  selectors:
    - process:name: nginx
)";

constexpr char kRival[] = R"(apiVersion: kith.dev/v1alpha1
kind: WorkloadIdentity
metadata: {name: rival}
spec:
  workloadID: demo/rival
  selectors:
    - process:name: [nginx, apache2]
)";

// Written into a directory of its own.
class Files {
 public:
  std::string Write(const std::string &name, const std::string &text) {
    const std::string path = directory_.File(name);
    std::ofstream(path) << text;
    return path;
  }
  std::string Config() {
    return Write("kith.yaml",
                 "trustDomain: test.org\nresources: [" +
                     directory_.File("web.yaml") + "]\n");
  }

 private:
  const TemporaryDirectory directory_;
};

TEST_CASE("agent runs with the configuration of the file") {
  CliFixture cli;
  Files files;
  const CliRun run = cli.Run({"agent", "--config", files.Config()});
  CHECK(run.code == 0);
  REQUIRE(cli.agent_runs.size() == 1);
  CHECK(cli.agent_runs[0].trust_domain == "test.org");
}

TEST_CASE("an agent that cannot start is one sentence and exit code 1") {
  CliFixture cli;
  Files files;
  cli.agent_result = absl::UnavailableError("CAP_BPF is missing");
  const CliRun run = cli.Run({"agent", "--config", files.Config()});
  CHECK(run.code == 1);
  CHECK(run.err == "kith: CAP_BPF is missing\n");
}

TEST_CASE("check-config loads everything and runs nothing") {
  CliFixture cli;
  Files files;
  files.Write("web.yaml", kIdentity);
  const std::string config = files.Config();
  const CliRun good = cli.Run({"agent", "--config", config, "--check-config"});
  CHECK(good.code == 0);
  CHECK(good.out == "OK: trust domain test.org, 1 identities, 0 services\n");

  files.Write("web.yaml", "kind: [");
  const CliRun bad = cli.Run({"agent", "--config", config, "--check-config"});
  CHECK(bad.code == 1);
  CHECK(StrContains(bad.err, "web.yaml"));
  CHECK(cli.agent_runs.empty());
}

TEST_CASE("a wrong or missing configuration is named") {
  CliFixture cli;
  Files files;
  const std::string wrong = files.Write("kith.yaml", "trustDomian: a\n");
  const CliRun typo = cli.Run({"agent", "--config", wrong});
  CHECK(typo.code == 1);
  CHECK(StrContains(typo.err, "trustDomian"));
  const CliRun absent = cli.Run({"agent", "--config", "/nonexistent.yaml"});
  CHECK(absent.code == 1);
  CHECK(StrContains(absent.err, "/nonexistent.yaml"));
  CHECK(cli.agent_runs.empty());
}

TEST_CASE("lint accepts good documents and finds a tie") {
  CliFixture cli;
  Files files;
  const std::string web = files.Write("web.yaml", kIdentity);
  const std::string rival = files.Write("rival.yaml", kRival);
  const CliRun good = cli.Run({"policy", "lint", web});
  CHECK(good.code == 0);
  CHECK(good.out == "OK: 1 identities, 0 services\n");

  const CliRun tied = cli.Run({"policy", "lint", web, rival});
  CHECK(tied.code == 1);
  CHECK(StrContains(tied.out, "error: "));
  CHECK(StrContains(tied.out, "equally well, by process:name"));

  const Json json = cli.Run({"policy", "lint", web, rival, "--json"}).json();
  CHECK(json["ok"] == false);
  CHECK(json["identities"] == 2);
  CHECK(json["findings"][0]["kind"] == "tie");
}

TEST_CASE("lint takes the trust domain from the documents") {
  CliFixture cli;
  Files files;
  const auto document = [](const std::string &spec) {
    return "apiVersion: kith.dev/v1alpha1\nkind: WorkloadIdentity\n"
           "metadata: {name: a}\nspec:\n  workloadID: a\n"
           "  selectors: [{process:name: a}]\n" +
           spec;
  };
  const std::string own = files.Write(
      "own.yaml",
      document("  allowedSPIFFEIDs: {inbound: [spiffe://prod.example/a]}\n"));
  const Json known = cli.Run({"policy", "lint", own, "--json"}).json();
  CHECK(known["trustDomainGuessed"] == true);
  CHECK(known["trustDomain"] == "prod.example");
  CHECK(known["findings"].empty());

  const std::string two = files.Write(
      "two.yaml",
      document("  allowedSPIFFEIDs:\n"
               "    inbound: [spiffe://a.example/a, spiffe://b.example/b]\n"));
  const Json either = cli.Run({"policy", "lint", two, "--json"}).json();
  CHECK(either["ok"] == true);
  CHECK_FALSE(either.contains("trustDomain"));
  REQUIRE(either["findings"].size() == 1);
  CHECK(either["findings"][0]["kind"] == "unknown_trust_domain");
  const Json said =
      cli.Run({"policy", "lint", two, "--trust-domain", "a.example", "--json"})
          .json();
  REQUIRE(said["findings"].size() == 1);
  CHECK(said["findings"][0]["kind"] == "not_federated");
}

TEST_CASE("lint refuses what no agent can load, and knows who is foreign") {
  CliFixture cli;
  Files files;
  const auto document = [](const char *name, const std::string &spec) {
    return absl::StrCat(
        "---\napiVersion: kith.dev/v1alpha1\nkind: WorkloadIdentity\n"
        "metadata: {name: ",
        name,
        "}\nspec:\n  selectors: [{process:name: ",
        name,
        "}]\n",
        spec);
  };
  const std::string two =
      files.Write("two.yaml",
                  document("a", "  workloadID: spiffe://a.example/a\n") +
                      document("b", "  workloadID: spiffe://b.example/b\n"));
  const CliRun refused = cli.Run({"policy", "lint", two, "--json"});
  CHECK(refused.code == 1);
  CHECK(refused.json()["findings"][0]["kind"] == "two_trust_domains");

  const std::string peer =
      "  allowedSPIFFEIDs: {inbound: [spiffe://b.example/b]}\n";
  const std::string forgotten = files.Write(
      "forgotten.yaml",
      document("a", "  workloadID: a\n  federatesWith: [b.example]\n" + peer) +
          document("b", "  workloadID: b\n" + peer));
  const Json found = cli.Run({"policy", "lint", forgotten, "--json"}).json();
  REQUIRE(found["findings"].size() == 1);
  CHECK(found["findings"][0]["kind"] == "not_federated");
  CHECK(found["findings"][0]["subject"] == "b");
}

TEST_CASE("lint reports documents that cannot be loaded") {
  CliFixture cli;
  Files files;
  const std::string broken = files.Write("broken.yaml", "kind: [");
  const CliRun text = cli.Run({"policy", "lint", broken});
  CHECK(text.code == 1);
  CHECK(StrContains(text.out, "broken.yaml"));
  const Json json = cli.Run({"policy", "lint", broken, "--json"}).json();
  CHECK(json["findings"][0]["kind"] == "invalid");
}

}  // namespace
}  // namespace kith
