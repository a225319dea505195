// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/datapath/capture.h"
#include "agent/datapath/direct_grants.h"
#include "agent/datapath/host_facts.h"
#include "agent/datapath/inner_sockets.h"
#include "agent/datapath/outer_sockets.h"
#include "agent/runtime/file_descriptor.h"
#include "kith/bypass_rule.h"
#include "kith/endpoint.h"

namespace kith {

// NetnsListeners are the agent's listening sockets in one network namespace:
// non-blocking, owned by the receiver. A descriptor is invalid where the
// namespace has no such address family.
struct NetnsListeners {
  uint64_t netns_cookie = 0;
  std::string name;  // e.g. "net:[4026531840]"
  FileDescriptor outbound_v4;
  FileDescriptor outbound_v6;
  FileDescriptor inbound_v4;
  FileDescriptor inbound_v6;
};

// Datapath owns the BPF programs and maps, and the agent's presence in the
// network namespaces of the managed cgroup. Only assembly/ uses the whole
// class: a stage gets the one base interface that it needs. All methods are
// thread-safe.
class Datapath : public Capture,
                 public InnerSockets,
                 public OuterSockets,
                 public HostFacts {
 public:
  // Import is what a parent process exported: the claim on the managed cgroup,
  // and the parent's pid.
  struct Import {
    std::vector<FileDescriptor> claim;
    uint32_t parent = 0;  // its pid
  };

  // Outbound identifies an outbound flow by its inner socket.
  struct Outbound {
    uint64_t netns_cookie = 0;
    Endpoint listener;
    Endpoint application;
  };

  struct Options {
    std::string cgroup;      // directory of the managed cgroup v2 sub-tree
    std::string state_name;  // names pins below <bpffs>/kith/
    bool pin = false;
    std::vector<BypassRule> bypass;
    bool gives_grants = false;  // to flows between workloads of a namespace
    // Called on the datapath's own threads:
    std::function<void(NetnsListeners)> on_netns_added;
    std::function<void(uint64_t netns_cookie)> on_netns_removed;
    // A process with a verdict did exec or exited: cached facts are stale.
    std::function<void(uint32_t tgid)> on_process_changed;
    // A watched socket tried to send something that is no TLS record; the
    // socket sends nothing any more. Called once per socket.
    std::function<void(uint64_t flow)> on_not_tls;
    // A direct flow was opened or closed: see DirectGrants::Find. Not called
    // for every change.
    std::function<void(uint64_t cookie)> on_direct_changed;
    // A direct flow of a former agent was ended, or had ended, because this
    // agent gives no grants; `bytes` are its final counts. Called during Start.
    std::function<void(const DirectFlow &flow, const DirectBytes &bytes)>
        on_direct_left;
    std::function<void(absl::Status)> on_error;  // degraded, still running
    // What a parent process exported: see Export.
    std::optional<Import> import;
    // Flows may outlive this process without a child: the watch of outer
    // sockets stays attached. Only with `pin`.
    bool keep_flows = false;
    // The outbound flows of a former process that this one resumes.
    std::vector<Outbound> stored_outbound;
  };

  // Create loads and verifies the programs, without attaching anything.
  // FailedPrecondition names what is missing (BTF, a capability, cgroup v2).
  // AlreadyExists: another agent has this cgroup or an overlapping one.
  static absl::StatusOr<std::unique_ptr<Datapath>> Create(Options options);

  // Start opens the listeners of the namespaces in use, finds the existing
  // listening sockets and attaches the programs, in an order in which no flow
  // is steered to a missing listener. After an error nothing is attached. The
  // destructor detaches everything (unless pinned).
  virtual absl::Status Start() = 0;

  // Detach stops the steering of new connections (unless pinned). The rest
  // works until destruction, so that open flows can be ended in order.
  virtual void Detach() = 0;

  // Export returns the claim and lets a child process import everything that is
  // attached. From then on this process changes nothing: it sees no events,
  // keeps its listeners open, and detaches nothing when it ends. Only after
  // Start.
  virtual absl::StatusOr<std::vector<FileDescriptor>> Export() = 0;
  // Rollback undoes Export after the child failed: before the child changed
  // anything, or, if `lost`, at any later moment.
  virtual absl::Status Rollback(bool lost) = 0;

  // grants returns the interface of direct grants, or why there is none: the
  // configuration does not ask for it, or this kernel failed the proof.
  virtual absl::StatusOr<DirectGrants *> grants() = 0;
};

}  // namespace kith
