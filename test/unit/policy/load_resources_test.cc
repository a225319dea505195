// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "agent/policy/resource_files.h"
#include "agent/policy/resource_store.h"
#include "agent/runtime/text_file.h"
#include "test/unit/config/scratch_directory.h"
#include "test/unit/policy/documents.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

std::string Identity(const std::string &name, const std::string &more = "") {
  return IdentityYaml(
      name,
      "workloadID: " + name + "\nselectors: [{process:name: a}]\n" + more);
}

absl::StatusOr<ResourceSet> Load(const ScratchDirectory &scratch) {
  return LoadResources({scratch.path()}, "td");
}

std::vector<std::string> NamesOf(const ResourceSet &set) {
  std::vector<std::string> names;
  for (const auto &identity : set.identities) {
    names.push_back(identity->name);
  }
  return names;
}

TEST_CASE("the samples load") {
  const auto set =
      LoadResources({KITH_DEPLOY_DIR "/resources.d"}, "example.org");
  INFO(set.status().message());
  REQUIRE(set.ok());
  CHECK(set->identities.size() == 3);
  CHECK(set->services.size() == 2);
  REQUIRE(set->warnings.size() == 1);  // riptides.json has a scope
  CHECK(set->warnings[0].find("riptides.json") != std::string::npos);
}

TEST_CASE("files are read in the order of their names") {
  const ScratchDirectory scratch;
  scratch.Write("b.yaml", Identity("b"));
  scratch.Write("c.json",
                R"({"apiVersion": "kith.dev/v1alpha1",
                    "kind": "WorkloadIdentity", "metadata": {"name": "c"},
                    "spec": {"workloadID": "c",
                             "selectors": [{"process:name": "c"}]}})");
  scratch.Write("a.yml", Identity("a2") + Identity("a1"));
  scratch.Write("sub/d.yaml", Identity("d"));
  scratch.Write("notes.txt", "not YAML: [");
  scratch.Write(".hidden.yaml", "not YAML: [");
  scratch.Write("backup.yaml~", "not YAML: [");
  const auto set = Load(scratch);
  INFO(set.status().message());
  REQUIRE(set.ok());
  CHECK(NamesOf(*set) == std::vector<std::string>{"a2", "a1", "b", "c", "d"});
}

TEST_CASE("paths may be files, directories, and directories to come") {
  const ScratchDirectory scratch;
  const std::string file = scratch.Write("one", Identity("one"));
  scratch.Write("dir/two.yaml", Identity("two"));
  const auto set =
      LoadResources({scratch / "dir", file, scratch / "missing.d"}, "td");
  REQUIRE(set.ok());
  CHECK(NamesOf(*set) == std::vector<std::string>{"two", "one"});
  CHECK(absl::IsNotFound(
      LoadResources({scratch / "missing.yaml"}, "td").status()));
}

TEST_CASE("a mounted ConfigMap is read once") {
  const ScratchDirectory scratch;
  scratch.Write("..2026_01/a.yaml", Identity("a"));
  fs::create_symlink("..2026_01", scratch.path() / "..data");
  fs::create_symlink("..data/a.yaml", scratch.path() / "a.yaml");
  const auto set = Load(scratch);
  INFO(set.status().message());
  REQUIRE(set.ok());
  CHECK(NamesOf(*set) == std::vector<std::string>{"a"});
}

TEST_CASE("a fault names the file and the line; both where there are two") {
  const ScratchDirectory scratch;
  struct Case {
    std::string second;
    std::string message;  // of a file "B", and another "A"
  };
  const auto c = GENERATE(
      Case{Identity("b", "spek: 1"), "B:8: spec.spek: unknown key"},
      Case{Identity("a"), "B:2: WorkloadIdentity a is already defined at A:2"},
      Case{IdentityYaml("b",
                        "workloadID: a\nselectors: [{process:name: b}]\n"
                        "svid: {x509: {ttl: 60s}}"),
           "B:2: spec.svid: spiffe://td/a has other dnsNames or another ttl "
           "at A:2"},
      Case{IdentityYaml("b",
                        "workloadID: b\nselectors: [{process:name: b}]\n"
                        "svid: {x509: {files: {directory: d}}}") +
               IdentityYaml("c",
                            "workloadID: c\nselectors: [{process:name: c}]\n"
                            "svid: {jwt: {files: {directory: d, tokens: "
                            "[{file: t, audience: [a]}]}}}"),
           "B:10: spec.svid: directory d is already that of b at B:2"},
      Case{"", "B:1: the file is empty"});
  const std::string a = scratch.Write("a.yaml", Identity("a"));
  const std::string b = scratch.Write("b.yaml", c.second);
  const auto set = Load(scratch);
  REQUIRE_FALSE(set.ok());
  const std::string message =
      absl::StrReplaceAll(set.status().message(), {{a, "A"}, {b, "B"}});
  CAPTURE(message);
  CHECK(message.find(c.message) == 0);
}

TEST_CASE("documents may share a SPIFFE ID, and names across kinds") {
  const ScratchDirectory scratch;
  scratch.Write(
      "a.yaml",
      IdentityYaml("a", "workloadID: w\nselectors: [{process:name: a}]") +
          IdentityYaml("b",
                       "workloadID: w\nselectors: [{process:name: b}]\n"
                       "allowedSPIFFEIDs: {inbound: []}") +
          ServiceYaml("a", "addresses: [{address: 10.0.0.1}]"));
  CHECK(Load(scratch).ok());
}

TEST_CASE("files that nobody should read are errors") {
  const ScratchDirectory scratch;
  SECTION("a pipe") {
    REQUIRE(::mkfifo((scratch / "a.yaml").c_str(), 0600) == 0);
  }
  SECTION("a link to nowhere") {
    fs::create_symlink("nowhere", scratch.path() / "a.yaml");
  }
  SECTION("a loop of directories") {
    fs::create_directory_symlink(scratch.path(), scratch.path() / "loop");
  }
  SECTION("a link to itself") {
    fs::create_symlink("a.yaml", scratch.path() / "a.yaml");
  }
  SECTION("a device") {
    fs::create_symlink("/dev/zero", scratch.path() / "a.yaml");
  }
  SECTION("a file that is too large") {
    scratch.Write("a.yaml", "#" + std::string(kMaxTextFile, 'x'));
  }
  const auto set = Load(scratch);
  REQUIRE_FALSE(set.ok());
  CHECK(set.status().message().find(scratch.path().native()) !=
        std::string::npos);
}

TEST_CASE("what has no effect is said") {
  const ScratchDirectory scratch;
  scratch.Write("a.yaml",
                IdentityYaml("a",
                             "workloadID: a\nselectors: [{k8s:ns: prod}]\n"
                             "egress: [{selectors: [{app: web}]}]"));
  const auto set = Load(scratch);
  REQUIRE(set.ok());
  REQUIRE(set->warnings.size() == 2);
  CHECK(set->warnings[0].find("no attestor of this version yields "
                              "k8s:pod:namespace") != std::string::npos);
  CHECK(set->warnings[1].find("spec.egress[0]: selects no Service") !=
        std::string::npos);
}

TEST_CASE("warnings have a bound") {
  const ScratchDirectory scratch;
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += "---\napiVersion: v1\nkind: ConfigMap\n";
  }
  scratch.Write("a.yaml", text);
  const auto set = Load(scratch);
  REQUIRE(set.ok());
  CHECK(set->warnings.size() == 257);
}

}  // namespace
}  // namespace kith
