// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "abi/flow.h"
#include "abi/process.h"
#include "agent/config/config.h"
#include "agent/datapath/direct_grants.h"
#include "agent/runtime/file_descriptor.h"
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

// InboundAnnouncement tells the hooks of one inner connection that the agent
// is about to dial: its SYN passes sk_lookup, and the application sees the
// real client. Forgotten on destruction.
class InboundAnnouncement {
 public:
  virtual ~InboundAnnouncement() = default;
  // Established withdraws the exception from sk_lookup; the client's address
  // stays known until destruction.
  virtual void Established() = 0;
  // LeaveToChild makes the client's address stay known after destruction.
  virtual void LeaveToChild() = 0;
  // socket_cookie returns that of the announced socket, for ShowIdentity.
  virtual uint64_t socket_cookie() const = 0;
};

// IdentityFacts is what getsockopt() tells an application of its socket
// (include/abi/identity.h). Empty: nothing to tell.
struct IdentityFacts {
  bool mutual_tls = false;
  std::string spiffe_id;
  std::string peer_spiffe_id;
  std::string alpn;
};

// ShownIdentity is told while it lives.
class ShownIdentity {
 public:
  virtual ~ShownIdentity() = default;
  // LeaveToChild makes it be told after destruction too.
  virtual void LeaveToChild() = 0;
};

// NamedCounter is one BPF counter: "connect_captured", "netns_not_ready", ...
struct NamedCounter {
  std::string name;
  uint64_t value = 0;
};

// Datapath owns the BPF programs and maps, and the agent's presence in the
// network namespaces of the managed cgroup. All methods are thread-safe.
class Datapath {
 public:
  // Import is the claim on the managed cgroup and the process that had it.
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
    // there are no passes here; with the bytes that it had. During Start.
    std::function<void(const direct_flow &flow, const DirectBytes &bytes)>
        on_direct_left;
    std::function<void(absl::Status)> on_error;  // degraded, still running
    // What another process has bequeathed: see Export.
    std::optional<Import> import;
    // Flows may outlive this process, without a successor: outer sockets are
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

  // The destructor detaches everything (unless pinned).
  virtual ~Datapath() = default;

  // Start opens the listeners of the namespaces in use, finds the existing
  // listening sockets and attaches the programs, in an order in which no flow
  // is steered to a listener that is not there. All or nothing.
  virtual absl::Status Start() = 0;

  // Detach ends the steering of new connections (unless pinned); everything
  // else goes on until destruction, so that open flows can be ended in order.
  virtual void Detach() = 0;

  // Export makes all that is attached, and the claim, another process's to
  // take, for which it is the import. From then on this one changes
  // nothing: it sees no events, keeps its listeners open, and detaches nothing
  // when it ends. Only after Start.
  virtual absl::StatusOr<std::vector<FileDescriptor>> Export() = 0;
  // Rollback undoes it where the other process has failed: before it began to
  // change anything, or, if `lost`, at any later moment.
  virtual absl::Status Rollback(bool lost) = 0;

  // FindOrigin returns where an accepted inner connection came from: `listener`
  // and `application` are its getsockname() and getpeername(). NotFound: no
  // hook saw it, somebody dialled the listener directly.
  virtual absl::StatusOr<flow_origin> FindOrigin(
      uint64_t netns_cookie,
      const Endpoint &listener,
      const Endpoint &application) = 0;

  // FindListener returns who listens at `local` (exact address, then the
  // wildcards, as the kernel chooses). NotFound: nobody of the managed cgroup.
  virtual absl::StatusOr<listener_entry> FindListener(
      uint64_t netns_cookie, const Endpoint &local) = 0;

  // ResolveListener looks again which live process holds the listening socket
  // of `entry` (its owner may have exited and left it to a child), updates the
  // table and returns the new entry. NotFound: nobody; the entry is removed.
  virtual absl::StatusOr<listener_entry> ResolveListener(
      uint64_t netns_cookie, const Endpoint &local) = 0;

  // SetProcessVerdict and SetListenerVerdict are valid for `generation`.
  virtual absl::Status SetProcessVerdict(const process_facts &process,
                                         process_verdict verdict,
                                         uint64_t generation) = 0;
  virtual absl::Status SetListenerVerdict(uint64_t netns_cookie,
                                          const Endpoint &local,
                                          process_verdict verdict,
                                          uint64_t generation) = 0;

  // LeaveDestinationAlone is for a process of which other flows are captured.
  virtual absl::Status LeaveDestinationAlone(const process_facts &process,
                                             uint64_t netns_cookie,
                                             const Endpoint &destination,
                                             uint64_t generation) = 0;

  // SetPolicyGeneration voids every verdict of another generation.
  virtual void SetPolicyGeneration(uint64_t generation) = 0;

  // ExecIdOf returns the newest exec_id that the hooks saw for the process, or
  // `process.exec_id` if it has not done exec since it was attested.
  virtual uint64_t ExecIdOf(const process_facts &process) = 0;

  // ListProcesses returns the live processes (group leaders) of the managed
  // cgroup, from a BPF task iterator.
  struct LiveProcess {
    process_facts process;
    process_image image;
    uint64_t netns_cookie = 0;
  };
  virtual absl::StatusOr<std::vector<LiveProcess>> ListProcesses() = 0;
  // FindProcess returns one by pid, whatever its cgroup; NotFound if gone.
  virtual absl::StatusOr<LiveProcess> FindProcess(uint32_t tgid) = 0;
  // FindManagedProcess returns one of the managed cgroup; NotFound otherwise.
  virtual absl::StatusOr<LiveProcess> FindManagedProcess(uint32_t tgid) = 0;

  // OpenSocket returns a new non-blocking TCP socket that lives in the
  // namespace. `family` is AF_INET or AF_INET6.
  virtual absl::StatusOr<FileDescriptor> OpenSocket(uint64_t netns_cookie,
                                                    int family) = 0;

  // AnnounceInbound must come after bind() and before connect(): `application`
  // is dialled from `socket`; `client` is what the application shall see.
  virtual absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AnnounceInbound(
      uint64_t netns_cookie,
      int socket,
      const Endpoint &application,
      const Endpoint &client) = 0;

  // AdoptInbound is for an inner connection that another process announced and
  // has handed over.
  virtual absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptInbound(
      uint64_t netns_cookie,
      int socket,
      const Endpoint &application,
      const Endpoint &client) = 0;

  // ShowIdentity lets the application of a captured connection ask for the
  // facts: `socket_cookie` is that of its own socket (flow_origin), or of the
  // announced socket that leads to it. One at a time for each cookie.
  // InvalidArgument: a text is too long, or too many are shown.
  virtual absl::StatusOr<std::unique_ptr<ShownIdentity>> ShowIdentity(
      uint64_t socket_cookie, const IdentityFacts &facts) = 0;

  // passes returns what lets flows inside a namespace go past the agent, or why
  // there is none: it was not asked for, or this kernel has failed the proof.
  virtual absl::StatusOr<DirectGrants *> passes() = 0;

  // ForgetOrigin removes the record of an outbound flow that has ended.
  virtual void ForgetOrigin(uint64_t netns_cookie,
                            const Endpoint &listener,
                            const Endpoint &application) = 0;

  // WatchOuter lets the connected socket, which has not sent anything yet,
  // send TLS records only. `flow` comes back in on_not_tls. Does nothing where
  // outer_watch() is not OK.
  virtual absl::Status WatchOuter(int socket, uint64_t flow) = 0;
  // outer_watch tells whether sockets are watched since Start, or why not.
  virtual absl::Status outer_watch() const = 0;

  virtual std::vector<NamedCounter> Counters() const = 0;

  struct NetnsRow {
    uint64_t netns_cookie = 0;
    std::string name;
    uint16_t outbound_port_v4 = 0;
    uint16_t outbound_port_v6 = 0;
  };
  virtual std::vector<NetnsRow> Namespaces() const = 0;
};

// Feature is one row of `kith doctor`.
struct Feature {
  std::string name;    // "BTF", "cgroup v2", "CAP_BPF", "sk_lookup", ...
  std::string needed;  // "required" or what falls away without it
  bool found = false;
  std::string detail;  // what was found, or how to get it
};

// ProbeFeatures examines this machine; works without any privilege, in which
// case rows say what could not be found out.
std::vector<Feature> ProbeFeatures(const std::string &cgroup);

// FindCgroupRoot returns the directory where cgroup v2 is mounted.
absl::StatusOr<std::string> FindCgroupRoot();

}  // namespace kith
