// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "absl/synchronization/mutex.h"

#include "agent/datapath/bpf_maps.h"
#include "agent/datapath/direct_grants.h"
#include "agent/datapath/listener_table.h"
#include "agent/datapath/socket_diag.h"

namespace kith {

// GrantTable implements DirectGrants by the maps of the hooks, and ends sockets
// of other processes, which hooks cannot do, by the kernel's sock_diag.
class GrantTable final : public DirectGrants {
 public:
  // RunIn runs `task` in a network namespace, on a thread that may block.
  using RunIn = std::function<absl::Status(uint64_t netns_cookie,
                                           const std::function<void()> &task)>;

  // `listeners` outlives this object.
  GrantTable(std::shared_ptr<BpfMaps> maps,
             ListenerTable &listeners,
             RunIn run_in)
      : maps_(std::move(maps)),
        listeners_(listeners),
        run_in_(std::move(run_in)) {}

  absl::Status Open(const GrantRequest &request) override;
  void Void() override { maps_->passes.Clear(); }
  void Sweep() override;
  std::vector<uint64_t> List() override { return maps_->directs.Keys(); }
  absl::StatusOr<DirectFlow> Find(uint64_t cookie) override;
  void Forget(uint64_t cookie) override { (void)maps_->directs.Delete(cookie); }
  void Name(uint64_t cookie, uint64_t grant) override;
  absl::Status End(const DirectFlow &flow) override;
  absl::StatusOr<DirectBytes> Count(const DirectFlow &flow) override;

 private:
  absl::Status Offer(const listener_entry &listener);
  // SweepGrants returns the listeners that grants still lead to.
  std::set<uint64_t> SweepGrants();
  absl::StatusOr<SocketDiag *> DiagOf(uint64_t netns_cookie)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<BpfMaps> maps_;
  ListenerTable &listeners_;
  const RunIn run_in_;
  absl::Mutex opening_;  // a grant and its listener are entered together
  absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(opening_);
  std::map<uint64_t, SocketDiag> diags_ ABSL_GUARDED_BY(mutex_);  // by netns
};

}  // namespace kith
