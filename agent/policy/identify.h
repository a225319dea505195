// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"

#include "kith/resource.h"
#include "kith/selector.h"

namespace kith {

// CurrentResources returns the documents that are in force; never null.
using CurrentResources = std::function<std::shared_ptr<const ResourceSet>()>;

// kNoPort is for callers without a flow: identities with a selector on the
// destination port apply to single flows only.
inline constexpr uint16_t kNoPort = 0;

// Identify is the one answer to "who is this process, for a flow to this
// port?": the identity, or null if the process is no workload.
// FailedPrecondition: several identities match equally well; the message has
// their names. Unavailable: an attestor failed, so that the identity is
// unknown; the message says which identities the process may have.
absl::StatusOr<std::shared_ptr<const WorkloadIdentity>> Identify(
    const ResourceSet &resources,
    const Attestation &attestation,
    uint16_t destination_port);

// WantsBinaryHash returns whether any identity selects process:binary:hash.
bool WantsBinaryHash(const ResourceSet &resources);

}  // namespace kith
