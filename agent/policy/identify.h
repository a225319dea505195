// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/assembly/stages.h"
#include "agent/policy/identity_match.h"

namespace kith {

// Workload is an attested process with the identity that policy gives it for
// one flow, and the resources that said so.
struct Workload {
  std::shared_ptr<const AttestedProcess> process;
  std::shared_ptr<const ResourceSet> resources;
  IdentityChoice choice;
};

// IdentifyWorkload attests the process (on the attestation threads unless it
// is cached) and chooses its identity for a flow to `destination_port`.
Task<absl::StatusOr<Workload>> IdentifyWorkload(AgentStages &stages,
                                                const process_facts &facts,
                                                const process_image &image,
                                                WorkloadAttestor::Expect expect,
                                                uint16_t destination_port);

// IdentifyListener does the same for whoever listens at `local`. NotFound:
// nobody of the managed cgroup.
Task<absl::StatusOr<Workload>> IdentifyListener(AgentStages &stages,
                                                uint64_t netns_cookie,
                                                Endpoint local);

}  // namespace kith
