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
// network namespaces of the managed cgroup. Only assembly/ knows all of it: a
// stage is given the one of these interfaces that it needs. All methods are
// thread-safe.
class Datapath : public Capture,
                 public InnerSockets,
                 public OuterSockets,
                 public HostFacts {
 public:
  // Import is what a parent process has exported: the claim on the managed
  // cgroup, and who had it.
  struct Import {
    std::vector<FileDescriptor> claim;
    uint32_t parent = 0;  // its pid
  };

  // Outbound is an outbound flow as its inner socket has it.
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
    // A process with a verdict did exec or exited: forget what is cached.
    std::function<void(uint32_t tgid)> on_process_changed;
    // A watched socket tried to send something that is no TLS record; nothing
    // leaves it any more. Once a socket.
    std::function<void(uint64_t flow)> on_not_tls;
    // A direct flow was opened or closed: DirectGrants::Find. Not for every
    // change.
    std::function<void(uint64_t cookie)> on_direct_changed;
    // A direct flow that a former agent has left was ended, or had ended, for
    // there are no grants here; with the bytes that it had. During Start.
    std::function<void(const DirectFlow &flow, const DirectBytes &bytes)>
        on_direct_left;
    std::function<void(absl::Status)> on_error;  // degraded, still running
    // What a parent process has exported: see Export.
    std::optional<Import> import;
    // Flows may outlive this process, without a child: outer sockets are
    // watched on. Only with `pin`.
    bool keep_flows = false;
    // Those of a former process that go on.
    std::vector<Outbound> stored_outbound;
  };

  // Create loads and verifies the programs, without attaching anything.
  // FailedPrecondition names what is missing (BTF, a capability, cgroup v2) and
  // AlreadyExists says that another agent has this cgroup or an overlapping
  // one.
  static absl::StatusOr<std::unique_ptr<Datapath>> Create(Options options);

  // Start opens the listeners of the namespaces in use, finds the existing
  // listening sockets and attaches the programs, in an order in which no flow
  // is steered to a listener that is not there. All or nothing. The destructor
  // detaches everything (unless pinned).
  virtual absl::Status Start() = 0;

  // Detach ends the steering of new connections (unless pinned); everything
  // else goes on until destruction, so that open flows can be ended in order.
  virtual void Detach() = 0;

  // Export makes all that is attached, and the claim, a child process's to
  // import. From then on this one changes nothing: it sees no events, keeps its
  // listeners open, and detaches nothing when it ends. Only after Start.
  virtual absl::StatusOr<std::vector<FileDescriptor>> Export() = 0;
  // Rollback undoes it where the child has failed: before it began to change
  // anything, or, if `lost`, at any later moment.
  virtual absl::Status Rollback(bool lost) = 0;

  // grants returns what lets flows inside a namespace go past the agent, or why
  // there is none: it was not asked for, or this kernel has failed the proof.
  virtual absl::StatusOr<DirectGrants *> grants() = 0;
};

}  // namespace kith
