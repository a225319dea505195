// SPDX-License-Identifier: Apache-2.0
// The periodic work of NetnsPresence: it leaves namespaces that are no longer
// in use, so that kith does not keep them alive, and repairs missed events.
#include "absl/container/flat_hash_set.h"

#include "agent/datapath/netns_presence.h"
#include "kith.skel.h"

namespace kith {

std::vector<uint64_t> NetnsPresence::Unsteered() const {
  std::vector<uint64_t> unsteered;
  absl::MutexLock lock(&mutex_);
  for (const auto &[cookie, entry] : present_) {
    if (!entry.sk_lookup.valid()) {
      unsteered.push_back(cookie);
    }
  }
  return unsteered;
}

std::vector<uint64_t> NetnsPresence::Unused(
    const std::vector<live_process> &processes) const {
  absl::flat_hash_set<uint64_t> used;
  for (const live_process &process : processes) {
    used.insert(process.netns_cookie);
  }
  std::vector<uint64_t> unused;
  absl::MutexLock lock(&mutex_);
  for (const auto &[cookie, entry] : present_) {
    if (!used.contains(cookie)) {
      unused.push_back(cookie);
    }
  }
  return unused;
}

// The hooks are first made to announce the namespace again; then the agent
// looks a second time. A process that appears after the look is announced, one
// that appears before is seen.
void NetnsPresence::DropUnused(const std::vector<live_process> &processes) {
  const std::vector<uint64_t> candidates = Unused(processes);
  if (candidates.empty()) {
    return;
  }
  for (const uint64_t cookie : candidates) {
    (void)programs_.maps()->namespaces.Delete(cookie);
  }
  auto again = Processes();
  absl::flat_hash_set<uint64_t> unused;
  if (again.ok()) {
    for (const uint64_t cookie : Unused(*again)) {
      unused.insert(cookie);
    }
  }
  std::vector<uint64_t> gone;
  for (const uint64_t cookie : candidates) {
    if (unused.contains(cookie)) {
      Drop(cookie);
      gone.push_back(cookie);
    } else {
      (void)programs_.maps()->namespaces.Update(
          cookie, {.state = NETNS_PRESENT}, BPF_ANY);
    }
  }
  listeners_.Sweep(gone);
}

void NetnsPresence::Check() {
  if (left_) {
    return;
  }
  auto processes = Processes();
  if (!processes.ok()) {
    callbacks_.on_error(processes.status());
    return;
  }
  if (auto entered = EnterMissing(*processes); !entered.ok()) {
    callbacks_.on_error(entered);
  }
  DropUnused(*processes);
  for (const uint64_t cookie : Unsteered()) {
    SteerSoon(cookie);
  }
  listeners_.Sweep({});
  if (auto repaired = listeners_.RepairLosses(); !repaired.ok()) {
    callbacks_.on_error(repaired);
  }
}

}  // namespace kith
