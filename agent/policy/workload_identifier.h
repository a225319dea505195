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

// Workload is an attested process with the identity that policy gives it for
// one flow, and the resources that said so.
struct Workload {
  std::shared_ptr<const AttestedProcess> process;
  std::shared_ptr<const ResourceSet> resources;
  // FailedPrecondition: several match equally well. Null: no workload.
  absl::StatusOr<std::shared_ptr<const WorkloadIdentity>> identity = nullptr;
};

// WorkloadIdentifier attests whoever has a flow, and identifies it.
// Thread-safe.
class WorkloadIdentifier {
 public:
  virtual ~WorkloadIdentifier() = default;

  // OfProcess attests the process (not on a loop, unless it is cached) for a
  // flow to `destination_port`. Unavailable: an attestor failed, so that it
  // cannot be known who it is. Other errors are those of the attestation.
  virtual Task<absl::StatusOr<Workload>> OfProcess(
      const ProcessFacts &facts,
      const ProcessImage &image,
      WorkloadAttestor::Expect expect,
      uint16_t destination_port) = 0;

  // OfListener does the same for whoever listens at `local`. NotFound: nobody
  // of the managed cgroup.
  virtual Task<absl::StatusOr<Workload>> OfListener(uint64_t netns_cookie,
                                                    Endpoint local) = 0;
};

// CreateWorkloadIdentifier returns the one that asks the attestor, on `pool`.
// All of its parts outlive the result.
std::unique_ptr<WorkloadIdentifier> CreateWorkloadIdentifier(
    WorkloadAttestor &attestor,
    Capture &capture,
    CurrentResources resources,
    asio::thread_pool &pool);

}  // namespace kith
