// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kith/resource.h"

namespace kith {

// OwnDomains are the trust domains of which one must be the own one of
// documents that were loaded without knowing it. Sorted.
struct OwnDomains {
  // Of whole SPIFFE IDs that identities have: an agent takes one domain's only.
  std::vector<std::string> of_identities;
  // Of Services' workloads and of peers with which no identity federates: a
  // guess, for some of them may have been forgotten in federatesWith.
  std::vector<std::string> of_peers;
};

OwnDomains OwnDomainsIn(const ResourceSet &resources);

}  // namespace kith
