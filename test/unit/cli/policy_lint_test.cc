// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/policy_lint.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using Severity = LintFinding::Severity;

WorkloadIdentity Identity(const std::string &name,
                          std::vector<SelectorMap> selectors) {
  WorkloadIdentity identity;
  identity.name = name;
  identity.origin = name + ".yaml:1";
  identity.spiffe_id = SpiffeId::FromPath("example.org", name).value();
  identity.selectors = std::move(selectors);
  return identity;
}

std::vector<LintFinding> Lint(std::vector<WorkloadIdentity> identities,
                              std::vector<Service> services = {}) {
  ResourceSet set;
  for (WorkloadIdentity &identity : identities) {
    set.identities.push_back(
        std::make_shared<const WorkloadIdentity>(std::move(identity)));
  }
  for (Service &service : services) {
    set.services.push_back(std::make_shared<const Service>(std::move(service)));
  }
  return LintResources(set, "example.org");
}

Service ApiService() {
  Service service;
  service.name = "api";
  service.labels = {{"app", {"api"}}};
  service.addresses = {{.network = Prefix::Parse("10.0.0.1").value()}};
  return service;
}

TEST_CASE("documents that are right have no findings") {
  CHECK(
      Lint({Identity("a", {{{"process:name", {"a"}}}}),
            Identity("b", {{{"process:name", {"b"}}}}),
            // More specific than a: it wins, no tie.
            Identity("c", {{{"process:name", {"a"}}, {"process:uid", {"1"}}}})},
           {ApiService()})
          .empty());
}

TEST_CASE("equal maps are a tie, in any order of their keys") {
  const auto findings =
      Lint({Identity("a", {{{"process:name", {"x"}}, {"process:uid", {"1"}}}}),
            Identity("b",
                     {{{"process:name", {"y"}}},
                      {{"process:uid", {"1"}}, {"process:name", {"x"}}}})});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::kError);
  CHECK(findings[0].kind == "tie");
  CHECK(findings[0].subject == "a");
  CHECK(findings[0].origin == "a.yaml:1");
  CHECK(findings[0].message.find("b (b.yaml:1)") != std::string::npos);
}

TEST_CASE("lists with a value in common are a tie") {
  CHECK(Lint({Identity("a", {{{"process:name", {"x", "y"}}}}),
              Identity("b", {{{"process:name", {"y", "z"}}}})})
            .size() == 1);
  CHECK(Lint({Identity("a", {{{"process:name", {"x"}}}}),
              Identity("b", {{{"process:name", {"y"}}}})})
            .empty());
}

TEST_CASE("command lines tie where one is the prefix of the other") {
  CHECK(Lint({Identity("a", {{{"process:cmdline", {"python3 app"}}}}),
              Identity("b", {{{"process:cmdline", {"python3"}}}})})
            .size() == 1);
  CHECK(Lint({Identity("a", {{{"process:cmdline", {"python3 a"}}}}),
              Identity("b", {{{"process:cmdline", {"python3 b"}}}})})
            .empty());
  CHECK(Lint({Identity("a", {{{"process:name", {"python3"}}}}),
              Identity("b", {{{"process:name", {"python"}}}})})
            .empty());
}

TEST_CASE("documents that give the same answer do not tie") {
  WorkloadIdentity one = Identity("a", {{{"process:name", {"x"}}}});
  WorkloadIdentity other = one;
  other.name = "b";
  CHECK(Lint({one, other}).empty());
  other.mode = TlsMode::kPermissive;
  CHECK(Lint({one, other}).size() == 1);
}

TEST_CASE("ports are part of what ties") {
  const SelectorMap web = {{"process:name", {"x"}},
                           {"destination:port", {"80", "443"}}};
  SelectorMap tls = {{"process:name", {"x"}}, {"destination:port", {"443"}}};
  CHECK(Lint({Identity("a", {web}), Identity("b", {tls})}).size() == 1);
  tls[1].values = {"8443"};
  CHECK(Lint({Identity("a", {web}), Identity("b", {tls})}).empty());
}

TEST_CASE("an identity without selectors is an error") {
  const auto findings = Lint({Identity("a", {})});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == "no_selectors");
}

TEST_CASE("egress entries that can never be used are reported") {
  WorkloadIdentity identity = Identity("a", {{{"process:name", {"a"}}}});
  identity.egress = {{.service_labels = {{{"app", {"api"}}}}},
                     {.service_labels = {{{"app", {"api"}}}}},
                     {.service_labels = {{{"app", {"absent"}}}}}};
  const auto findings = Lint({identity}, {ApiService()});
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].severity == Severity::kWarning);
  CHECK(findings[0].kind == "unreachable_egress");
  CHECK(findings[0].message.find("egress[1] is never used: egress[0]") == 0);
  CHECK(findings[1].message == "egress[2] selects no Service");
}

TEST_CASE("ingress entries behind wider ones are reported") {
  WorkloadIdentity identity = Identity("a", {{{"process:name", {"a"}}}});
  identity.ingress = {{.selectors = {{{"destination:port", {"80", "443"}}}}},
                      {.selectors = {{{"destination:port", {"80"}}}}},
                      {.selectors = {{{"destination:port", {"8080"}}}}}};
  const auto findings = Lint({identity});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == "unreachable_ingress");
  CHECK(findings[0].message.find("ingress[1] is never used") == 0);
}

TEST_CASE("Services without addresses and unknown peers are reported") {
  Service service = ApiService();
  service.addresses.clear();
  WorkloadIdentity identity = Identity("a", {{{"process:name", {"a"}}}});
  identity.allowed_inbound = {{"spiffe://example.org/a",
                               "spiffe://example.org/absent",
                               "spiffe://example.org/demo/*",
                               "spiffe://other.org/absent"}};
  const auto findings = Lint({identity}, {service});
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].kind == "unknown_peer");
  CHECK(findings[0].message.find("spiffe://example.org/absent") !=
        std::string::npos);
  CHECK(findings[1].kind == "not_federated");
  CHECK(findings[1].message.find("spiffe://other.org/absent") !=
        std::string::npos);
  CHECK(findings[2].kind == "no_addresses");
  CHECK(findings[2].subject == "api");
}

}  // namespace
}  // namespace kith
