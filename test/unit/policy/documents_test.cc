// SPDX-License-Identifier: Apache-2.0
#include "test/unit/policy/documents.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

namespace kith {
namespace {

constexpr char kSpec[] = "workloadID: a\nselectors: [{process:name: a}]";
constexpr char kAddresses[] = "addresses: [{address: 10.0.0.1}]";

TEST_CASE("a file has documents of both kinds and both APIs") {
  const ResourceSet set =
      ReadOk(IdentityYaml("a", kSpec) + AsRiptides(IdentityYaml("b", kSpec)) +
             ServiceYaml("a", kAddresses));
  REQUIRE(set.identities.size() == 2);
  CHECK(set.identities[0]->name == "a");
  CHECK(set.identities[0]->origin == "f.yaml:2");
  CHECK(set.identities[1]->origin == "f.yaml:9");
  REQUIRE(set.services.size() == 1);
  CHECK(set.services[0]->origin == "f.yaml:16");
  CHECK(set.warnings.empty());
}

TEST_CASE("what Kubernetes adds to a document is accepted") {
  const ResourceSet set = ReadOk(
      R"({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [
      {"apiVersion": "kith.dev/v1alpha1", "kind": "WorkloadIdentity",
       "metadata": {"name": "a", "namespace": "n", "uid": "1", "generation": 2,
                    "labels": {"x": "y"}, "managedFields": [{}]},
       "spec": {"workloadID": "a", "selectors": [{"process:name": "a"}]},
       "status": {"anything": true}}]})");
  REQUIRE(set.identities.size() == 1);
  CHECK(set.identities[0]->name == "n/a");
  CHECK(set.identities[0]->origin == "f.yaml:2");
}

TEST_CASE("other documents are left out, and said so") {
  struct Case {
    std::string text;
    std::string warning;
  };
  const auto c = GENERATE(
      Case{"apiVersion: v1\nkind: ConfigMap\ndata: {a: b}",
           "f.yaml:1: ConfigMap of v1 is left out"},
      Case{"apiVersion: apps/v1\nkind: Deployment",
           "Deployment of apps/v1 is left out"},
      Case{"apiVersion: auth.riptides.io/v1alpha1\nkind: Verifier",
           "Verifier of auth.riptides.io/v1alpha1 is left out"},
      Case{"apiVersion: core.riptides.io/v1alpha1\nkind: CredentialBinding",
           "CredentialBinding is left out"});
  const ResourceSet set = ReadOk(c.text);
  CHECK(set.identities.empty());
  REQUIRE(set.warnings.size() == 1);
  CHECK(set.warnings[0].find(c.warning) != std::string::npos);
}

TEST_CASE("documents that nobody can use are errors") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string head = "apiVersion: kith.dev/v1alpha1\n";
  const auto c = GENERATE_COPY(
      Case{"", "f.yaml:1: the file is empty"},
      Case{" \n\n", "the file is empty"},
      Case{"text", "f.yaml:1: want a map with apiVersion"},
      Case{"[]", "want a map with apiVersion"},
      Case{"kind: Service", "the document needs apiVersion"},
      Case{"apiVersion: kith.dev/v1alpha1", "the document needs kind"},
      Case{"apiVersion: 1\nkind: Service", "apiVersion: want a string"},
      Case{"apiVersion: kith.dev/v1\nkind: Service",
           "apiVersion kith.dev/v1 is not known; want kith.dev/v1alpha1"},
      Case{"apiVersion: kith.dev\nkind: Service", "is not known"},
      Case{"apiVersion: core.riptides.io/v1\nkind: Service", "is not known"},
      Case{head + "kind: WorkloadIdentitty",
           "unknown kind WorkloadIdentitty; did you mean 'WorkloadIdentity'?"},
      Case{head + "kind: CredentialBinding", "unknown kind CredentialBinding"},
      Case{AsRiptides(head) + "kind: Servise", "did you mean 'Service'?"},
      Case{head + "kind: Service", "f.yaml:1: needs metadata.name and spec"},
      Case{head + "kind: Service\nmetadata: {name: a}", "and spec"},
      Case{head + "kind: Service\nmetadata: {}\nspec: {}", "needs name"},
      Case{head + "kind: Service\nmetadata: {name: a/b}",
           "metadata.name: want letters"},
      Case{head + "kind: Service\nmetadata: {name: \"a\\nb\"}",
           "metadata.name: want letters"},
      Case{head + "kind: Service\nmetadata: {name: a, namespce: b}",
           "did you mean 'namespace'?"},
      Case{head + "kind: Service\nspeck: {}",
           "f.yaml:3: speck: unknown key; did you mean 'spec'?"},
      Case{"apiVersion: v1\nkind: List\nitems: [text]",
           "items[0]: want a map with apiVersion"});
  CAPTURE(c.text);
  const auto set = Read(c.text);
  REQUIRE_FALSE(set.ok());
  CAPTURE(set.status().message());
  CHECK(set.status().message().find("f.yaml:") == 0);
  CHECK(set.status().message().find(c.message) != std::string::npos);
}

TEST_CASE("lists inside lists end at the depth of the parser") {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "{apiVersion: v1, kind: List, items: [";
  }
  CHECK_FALSE(Read(text).ok());
}

TEST_CASE("a Service is read") {
  const ResourceSet set =
      ReadOk(ServiceYaml("a",
                         "labels: {app: web, tier: 1, on: true}\n"
                         "addresses:\n"
                         "- {address: 10.0.0.1, port: 80}\n"
                         "- {address: 10.1.0.0/16}\n"
                         "- {address: fd00::1, port: 65535}\n"
                         "workloadID: demo/web\n"
                         "external: false"));
  REQUIRE(set.services.size() == 1);
  const Service &service = *set.services[0];
  REQUIRE(service.labels.size() == 3);
  CHECK(service.labels[1].key == "tier");
  CHECK(service.labels[1].values == std::vector<std::string>{"1"});
  REQUIRE(service.addresses.size() == 3);
  CHECK(service.addresses[0].network.ToString() == "10.0.0.1/32");
  CHECK(service.addresses[0].port == 80);
  CHECK(service.addresses[1].port == 0);
  CHECK(service.workload_id->uri() == "spiffe://td/demo/web");
  CHECK_FALSE(service.external);
}

TEST_CASE("a Service that names no destination is refused") {
  struct Case {
    std::string spec;
    std::string message;
  };
  const auto c = GENERATE(
      Case{"labels: {a: b}", "has no address"},
      Case{"addresses: []", "has no address"},
      Case{"addresses: [{port: 80}]", "spec.addresses[0]: needs address"},
      Case{"addresses: [{address: web.demo, port: 80}]", "host names"},
      Case{"addresses: [{address: '::/0'}]", "cover IPv4"},
      Case{"addresses: [{address: 10.0.0.1, port: 0}]", "port: want a whole"},
      Case{"addresses: [{address: 10.0.0.1, port: http}]", "port: want"},
      Case{"addresses: [{address: 10.0.0.1, tags: [a]}]",
           "tags: is not supported by this version"},
      Case{"addresses: [{address: 10.0.0.1, host: a}]", "host: unknown key"},
      Case{"addresses: [{address: 10.0.0.1}]\nlabels: [a]", "want a map"},
      Case{"addresses: [{address: 10.0.0.1}]\nlabels: {a: [b]}", "labels.a"},
      Case{"addresses: [{address: 10.0.0.1}]\nexternal: maybe", "external"},
      Case{"addresses: [{address: 10.0.0.1}]\nexternal: true\nworkloadID: a",
           "is no workload"},
      Case{"addresses: [{address: 10.0.0.1}]\nworkloadID: /a",
           "workloadID: invalid SPIFFE ID"});
  CAPTURE(c.spec);
  const auto set = Read(ServiceYaml("a", c.spec));
  REQUIRE_FALSE(set.ok());
  CAPTURE(set.status().message());
  CHECK(set.status().message().find(c.message) != std::string::npos);
}

TEST_CASE("what kith has not is accepted in Riptides' Services, and said so") {
  const ResourceSet set =
      ReadOk(AsRiptides(ServiceYaml("a",
                                    "addresses:\n"
                                    "- {address: web.demo, port: 80}\n"
                                    "- address: 10.0.0.1\n"
                                    "  tags: [x]\n"
                                    "  aliases: [y]\n"
                                    "  networkNames: [z]\n"
                                    "  networkPrefixes: [10.0.0.0/8]\n")));
  CHECK(set.services[0]->addresses.size() == 1);
  CHECK(set.warnings.size() == 5);
}

}  // namespace
}  // namespace kith
