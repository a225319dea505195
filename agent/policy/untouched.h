// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kith/resource.h"
#include "kith/selector.h"

namespace kith {

// Untouched says of which flows of a process policy leaves all as they are (it
// has no identity for them, or the mode is DISABLE), wherever they lead: then
// the kernel need not ask about each. False where it is not certain.
struct Untouched {
  bool outbound = false;
  bool inbound = false;

  bool operator==(const Untouched &) const = default;
};

// FindUntouched looks at each identity that the process can have for some port.
// A flow that is refused, for a tie or a failed attestor, is not left as it is.
// Of listeners it holds whatever user and cgroup the owner may change to, of
// which no hook tells.
Untouched FindUntouched(const ResourceSet &resources,
                        const Attestation &attestation);

}  // namespace kith
