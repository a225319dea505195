// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/admin/ca_view.h"
#include "agent/attestor/workload_attestor.h"
#include "agent/datapath/host_facts.h"
#include "agent/federation/bundle_follower.h"
#include "agent/flowtable/flow_table.h"
#include "agent/identity/svid_store.h"
#include "agent/policy/identity_match.h"
#include "agent/policy/untouched.h"

namespace kith {

// AgentView is the part of the agent that the admin API uses. assembly/
// implements it; the API knows no other part of the agent. Thread-safe.
class AgentView {
 public:
  virtual ~AgentView() = default;

  struct Status {
    std::string version;
    uint32_t pid = 0;
    std::chrono::system_clock::time_point started_at;
    std::string trust_domain;
    std::string cgroup;
    std::string issuer;
    std::string path;  // of outer sockets: "ktls" or "userspace"
    std::string path_reason;
    bool pinned = false;
    std::string flow_store;  // "none", "systemd", or "refused"
    std::string flow_store_error;
    size_t kept_flows = 0;
    absl::Status outer_watch;  // OK, or why outer sockets are not watched
    size_t identities = 0;
    size_t services = 0;
    std::string resources_error;  // empty: the newest load is in force
    size_t open_flows = 0;
    FlowTable::Totals totals;
    std::vector<NamedCounter> counters;
    std::vector<NetnsRow> namespaces;
    size_t attested_processes = 0;
    std::vector<FollowedBundle> federation;
  };
  virtual Status GetStatus() const = 0;

  // One row per identity; one without an SVID has a null svid.
  struct IdentityRow {
    std::shared_ptr<const WorkloadIdentity> identity;
    SvidState svid;
  };
  virtual std::vector<IdentityRow> GetIdentities() const = 0;

  struct Explanation {
    std::shared_ptr<const AttestedProcess> process;
    IdentityChoice choice;  // without a destination port
    bool may_be_workload = false;
    Untouched untouched;
    bool in_managed_cgroup = false;
    std::vector<IdentityVerdict> verdicts;
  };
  // NotFound: no such process.
  virtual absl::StatusOr<Explanation> Explain(uint32_t pid) = 0;

  virtual FlowTable &flows() = 0;
  virtual TraceHub &trace() = 0;
  // SetLogLevel: "debug", "info", "warning", "error"; else InvalidArgument.
  virtual absl::Status SetLogLevel(const std::string &level) = 0;
};

// AdminServer serves the HTTP/JSON admin API on a Unix socket (mode 0660, the
// configured group if it exists, else root's) on threads of its own.
class AdminServer {
 public:
  struct Options {
    std::string socket_path;
    std::string group;
    std::function<void(std::string)> on_audit;  // every change, one line
    bool replace = false;  // also the socket of a live agent
    CaView *ca = nullptr;  // outlives the server; null: no such routes
  };
  // Create binds the socket. It replaces the socket of a dead agent; a live
  // agent's is AlreadyExists.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Create(Options options,
                                                             AgentView *view);
  virtual ~AdminServer() = default;  // stops, joins, unlinks the socket
};

}  // namespace kith
