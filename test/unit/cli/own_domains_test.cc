// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/own_domains.h"

#include <catch2/catch_test_macros.hpp>

#include "agent/policy/resource_document.h"

namespace kith {
namespace {

using Names = std::vector<std::string>;

// The domains in an identity with this spec, of which the own one is unknown.
Names DomainsIn(const std::string &spec) {
  ResourceSet set;
  const absl::Status read = ReadDocuments(
      "apiVersion: kith.dev/v1alpha1\nkind: WorkloadIdentity\n"
      "metadata: {name: a}\nspec:\n  selectors: [{process:name: a}]\n" +
          spec,
      "f.yaml",
      "",
      set);
  INFO(read.message());
  REQUIRE(read.ok());
  return OwnDomainsIn(set);
}

TEST_CASE("the own trust domain is in the documents, or anybody's guess") {
  CHECK(DomainsIn("  workloadID: a\n").empty());
  CHECK(DomainsIn("  workloadID: spiffe://prod.example/a\n") ==
        Names{"prod.example"});
  const std::string peers =
      "  allowedSPIFFEIDs:\n"
      "    inbound: [spiffe://prod.example/b, spiffe://far.example/*]\n";
  CHECK(DomainsIn("  workloadID: a\n" + peers) ==
        Names{"far.example", "prod.example"});
  CHECK(DomainsIn("  workloadID: a\n  federatesWith: [far.example]\n" +
                  peers) == Names{"prod.example"});
  // Whoever says it all is believed, whatever the peers are.
  CHECK(DomainsIn("  workloadID: spiffe://prod.example/a\n" + peers) ==
        Names{"prod.example"});
}

}  // namespace
}  // namespace kith
