// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/grpc/peer_process.h"
#include "agent/identity/trust_bundle.h"
#include "agent/identity/x509_svid.h"
#include "kith/process.h"

namespace kith {

// ApiCaller is an attested caller of the Workload API.
struct ApiCaller {
  ProcessFacts process{};
  SpiffeId id;
};

// WorkloadApiSource is the agent as the Workload API uses it. agent_source.cc
// implements it; the API knows no other stage. Thread-safe.
class WorkloadApiSource {
 public:
  virtual ~WorkloadApiSource() = default;

  // Identify attests the process and chooses its identity, as for a flow.
  // PermissionDenied: it has none. Unavailable: unknown at this time. Blocks.
  virtual absl::StatusOr<ApiCaller> Identify(const PeerProcess &process) = 0;

  // ListProcesses returns every process that may have an identity. Blocks.
  virtual absl::StatusOr<std::vector<ProcessFacts>> ListProcesses() = 0;

  // GetX509Svid returns a valid SVID, or Unavailable.
  virtual absl::StatusOr<std::shared_ptr<const X509Svid>> GetX509Svid(
      const SpiffeId &id) = 0;

  // bundle returns the domains that the identity trusts: the own one, and those
  // that it federates with. Null: none yet; the same object while nothing of it
  // has changed.
  virtual std::shared_ptr<const TrustBundle> bundle(const SpiffeId &id) = 0;

  // IssueJwtSvid returns a token for the audiences. Blocks.
  virtual absl::StatusOr<std::string> IssueJwtSvid(
      const SpiffeId &id, const std::vector<std::string> &audience) = 0;
};

// WorkloadApi serves the SPIFFE Workload API on a Unix socket that every
// process may connect: the answer depends on the caller's identity. It has its
// own event loop and its own thread for attestation, so that callers do not
// slow the flows.
class WorkloadApi {
 public:
  // Create does not listen yet. `source` must outlive the result.
  static std::unique_ptr<WorkloadApi> Create(WorkloadApiSource *source);
  virtual ~WorkloadApi() = default;  // stops

  // Listen binds the socket, replacing a live agent's if `replace`, and serves
  // it.
  virtual absl::Status Listen(const std::string &socket_path,
                              bool replace = false) = 0;

  // NotifyChanged makes every stream look for news: a bundle or the documents
  // in force changed. NotifyRenewed does the same for callers with this
  // identity. Thread-safe, also after Stop.
  virtual void NotifyChanged() = 0;
  virtual void NotifyRenewed(const SpiffeId &id) = 0;

  // Stop ends all calls. Not from the loop.
  virtual void Stop() = 0;
};

}  // namespace kith
