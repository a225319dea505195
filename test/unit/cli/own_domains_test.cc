// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/own_domains.h"

#include <catch2/catch_test_macros.hpp>

#include "agent/policy/resource_document.h"

namespace kith {
namespace {

using Names = std::vector<std::string>;

// The domains in an identity with this spec, and maybe more documents, of which
// the own one is unknown.
OwnDomains DomainsIn(const std::string &spec, const std::string &more = "") {
  ResourceSet set;
  const absl::Status read = ReadDocuments(
      "apiVersion: kith.dev/v1alpha1\nkind: WorkloadIdentity\n"
      "metadata: {name: a}\nspec:\n  selectors: [{process:name: a}]\n" +
          spec + more,
      "f.yaml",
      "",
      set);
  INFO(read.message());
  REQUIRE(read.ok());
  return OwnDomainsIn(set);
}

constexpr char kPeers[] =
    "  allowedSPIFFEIDs:\n"
    "    inbound: [spiffe://prod.example/b, spiffe://far.example/*]\n";

TEST_CASE("the own trust domain is in the documents, or anybody's guess") {
  const OwnDomains none = DomainsIn("  workloadID: a\n");
  CHECK(none.of_identities.empty());
  CHECK(none.of_peers.empty());
  const std::string path = "  workloadID: a\n";
  CHECK(DomainsIn(path + kPeers).of_peers ==
        Names{"far.example", "prod.example"});
  CHECK(
      DomainsIn(path + "  federatesWith: [far.example]\n" + kPeers).of_peers ==
      Names{"prod.example"});
  // Whoever says it all is believed, whatever the peers are.
  const OwnDomains said = DomainsIn(
      std::string("  workloadID: spiffe://prod.example/a\n") + kPeers);
  CHECK(said.of_identities == Names{"prod.example"});
}

TEST_CASE("Services name trust domains, too") {
  CHECK(DomainsIn("  workloadID: a\n",
                  "---\napiVersion: kith.dev/v1alpha1\nkind: Service\n"
                  "metadata: {name: api}\nspec:\n  labels: {app: api}\n"
                  "  addresses: [{address: 10.0.0.1}]\n"
                  "  workloadID: spiffe://corp.example/api\n")
            .of_peers == Names{"corp.example"});
}

}  // namespace
}  // namespace kith
