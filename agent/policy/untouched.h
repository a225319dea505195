// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kith/resource.h"
#include "kith/selector.h"

namespace kith {

// Untouched says whether policy leaves all flows of a process in a direction
// alone (it has no identity for them, or the mode is DISABLE), wherever they
// lead: the kernel then lets them pass. False if that is not certain.
struct Untouched {
  bool outbound = false;
  bool inbound = false;

  bool operator==(const Untouched &) const = default;
};

// FindUntouched checks each identity that the process can have for some port. A
// flow that is refused, for a tie or a failed attestor, is not left alone. The
// result for listeners holds for every user and cgroup that the owner may
// change to, because no hook reports such a change.
Untouched FindUntouched(const ResourceSet &resources,
                        const Attestation &attestation);

}  // namespace kith
