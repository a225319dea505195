// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "agent/datapath/bpf_maps.h"
#include "agent/datapath/control.h"
#include "agent/datapath/programs.h"
#include "kith/endpoint.h"

namespace kith {

// ListenerTable is the agent's view of the listening sockets of the managed
// cgroup. The hooks own the entries; the agent owns the verdicts, removes
// entries without a socket, and repairs what the hooks could not see.
// Thread-safe.
class ListenerTable {
 public:
  // `control` and `programs` outlive this object.
  ListenerTable(std::shared_ptr<BpfMaps> maps,
                Control &control,
                const Programs &programs);

  // Find looks at the exact address, then at the wildcards, as the kernel does
  // (inet_lookup_listener). NotFound: no process of the managed cgroup listens.
  absl::StatusOr<listener_entry> Find(uint64_t netns_cookie,
                                      const Endpoint &local) const;

  // Found is an entry with the address under which it is entered.
  struct Found {
    listener_key key;
    listener_entry entry;
  };
  absl::StatusOr<Found> FindKey(uint64_t netns_cookie,
                                const Endpoint &local) const;

  // OfferForGrants enters the socket of `listener` in the map pass_listeners.
  // NotFound: its owner no longer has the socket.
  absl::Status OfferForGrants(const listener_entry &listener);

  // Resolve searches for a living holder of the socket. NotFound: there is
  // none, and the entry is removed.
  absl::StatusOr<listener_entry> Resolve(uint64_t netns_cookie,
                                         const Endpoint &local);

  absl::Status SetVerdict(uint64_t netns_cookie,
                          const Endpoint &local,
                          process_verdict verdict,
                          uint64_t generation);

  // OwnerLeftAlone remembers a process whose verdict covers its listeners.
  void OwnerLeftAlone(const process_facts &owner);

  // OwnerChanged voids the verdicts of the listeners of a process that did exec
  // or exited: another program may own its sockets now.
  void OwnerChanged(uint32_t tgid);

  // Seed enters the existing listening sockets, of one process or of all.
  absl::Status Seed(std::optional<uint32_t> tgid);

  // Sweep removes entries without sockets, and those of `gone` namespaces.
  void Sweep(const std::vector<uint64_t> &gone);

  // RepairLosses enters all listeners again after the table was full.
  absl::Status RepairLosses();

 private:
  void RemoveIfOwnerIs(const Found &found);

  std::shared_ptr<BpfMaps> maps_;
  Control &control_;
  const int iterator_fd_;
  absl::Mutex mutex_;
  // Keys of the listeners whose verdict lets any client in, by owner.
  absl::flat_hash_map<uint32_t, std::vector<listener_key>> left_alone_
      ABSL_GUARDED_BY(mutex_);
  // Owners whose verdict lets clients of their listeners in, with the facts of
  // that moment: the hooks search by those facts, even if the process changes.
  absl::flat_hash_map<uint32_t, process_facts> owners_ ABSL_GUARDED_BY(mutex_);
  absl::Mutex resolving_;  // one request at a time in the control map
};

}  // namespace kith
