// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kith/resource.h"
#include "kith/selector.h"

namespace kith {

// IdentityChoice is the answer to "who is this process, for this flow?".
struct IdentityChoice {
  // The identity whose matching selector map is the most specific (has the most
  // terms); null for none, for a tie, and if it cannot be determined.
  std::shared_ptr<const WorkloadIdentity> identity;
  // Names of the identities that match equally well; empty unless a tie.
  // Documents that give the same answer (SPIFFE ID, mode, peers) never tie.
  std::vector<std::string> tied;
  // Names of the identities that would be chosen if a failed attestor had found
  // the right fact. If there are any, the flow must be refused: the process may
  // be a workload.
  std::vector<std::string> undetermined;
};

// ChooseIdentity matches `attestation` and the flow's destination port.
IdentityChoice ChooseIdentity(const ResourceSet &resources,
                              const Attestation &attestation,
                              uint16_t destination_port);

// MayBeWorkload returns whether any identity could match for some destination
// port, or with the right facts from failed attestors; false: the process's
// flows need not be held.
bool MayBeWorkload(const ResourceSet &resources,
                   const Attestation &attestation);

// TermVerdict explains one selector of one map: `kith explain`.
struct TermVerdict {
  std::string key;
  std::vector<std::string> wanted;
  std::vector<std::string> observed;  // empty: no such fact
  std::string source;
  bool matched = false;
  bool depends_on_flow = false;  // destination:port: known per flow only
  bool unknown = false;          // the attestor failed; `source` says why
};

struct MapVerdict {
  std::vector<TermVerdict> terms;
  bool matched = false;  // terms that depend on the flow count as matched
};

struct IdentityVerdict {
  std::shared_ptr<const WorkloadIdentity> identity;
  std::vector<MapVerdict> maps;
  bool matched = false;
  size_t missing = 0;  // terms missing in the nearest map
};

// ExplainMatch returns one verdict per identity, the matching ones first, then
// by nearness.
std::vector<IdentityVerdict> ExplainMatch(const ResourceSet &resources,
                                          const Attestation &attestation);

}  // namespace kith
