// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include <asio/thread_pool.hpp>

#include "agent/attestor/workload_attestor.h"
#include "agent/datapath/capture.h"
#include "agent/policy/identify.h"
#include "agent/runtime/event_loop.h"
#include "kith/endpoint.h"
#include "kith/process.h"

namespace kith {

// Workload is an attested process, the identity that policy gives it for one
// flow, and the resources by which policy decided.
struct Workload {
  std::shared_ptr<const AttestedProcess> process;
  std::shared_ptr<const ResourceSet> resources;
  // FailedPrecondition: several identities match equally well. Null: none.
  absl::StatusOr<std::shared_ptr<const WorkloadIdentity>> identity = nullptr;
};

// WorkloadIdentifier attests the process of a flow, and identifies it.
// Thread-safe.
class WorkloadIdentifier {
 public:
  virtual ~WorkloadIdentifier() = default;

  // OfProcess attests the process (not on a loop, unless it is cached) for a
  // flow to `destination_port`. Unavailable: an attestor failed, so that the
  // identity is unknown. Other errors are those of the attestation.
  virtual Task<absl::StatusOr<Workload>> OfProcess(
      const ProcessFacts &facts,
      const ProcessImage &image,
      WorkloadAttestor::Expect expect,
      uint16_t destination_port) = 0;

  // OfListener does the same for the process that listens at `local`. NotFound:
  // no process of the managed cgroup does.
  virtual Task<absl::StatusOr<Workload>> OfListener(uint64_t netns_cookie,
                                                    Endpoint local) = 0;
};

// CreateWorkloadIdentifier returns one that calls the attestor on `pool`. All
// of its parts outlive the result.
std::unique_ptr<WorkloadIdentifier> CreateWorkloadIdentifier(
    WorkloadAttestor &attestor,
    Capture &capture,
    CurrentResources resources,
    asio::thread_pool &pool);

}  // namespace kith
