// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kith/resource.h"

namespace kith {

// OwnDomains are candidates for the own trust domain of documents that were
// loaded without knowing it. Sorted.
struct OwnDomains {
  // Domains of the identities' whole SPIFFE IDs: an agent accepts one only.
  std::vector<std::string> of_identities;
  // Domains of Services' workloads and of peers with which no identity
  // federates: a guess, because federatesWith may lack some of them.
  std::vector<std::string> of_peers;
};

OwnDomains OwnDomainsIn(const ResourceSet &resources);

}  // namespace kith
