// SPDX-License-Identifier: Apache-2.0
// Listeners, and what the hooks may do without the agent.
#include <utility>

#include "agent/datapath/abi_types.h"
#include "agent/datapath/bpf_datapath.h"

namespace kith {
namespace {

absl::StatusOr<Listener> Convert(const absl::StatusOr<listener_entry> &found) {
  if (!found.ok()) {
    return found.status();
  }
  return FromAbi(*found);
}

}  // namespace

absl::StatusOr<Listener> BpfDatapath::FindListener(uint64_t netns_cookie,
                                                   const Endpoint &local) {
  return Convert(listeners_.Find(netns_cookie, local));
}

absl::StatusOr<Listener> BpfDatapath::ResolveListener(uint64_t netns_cookie,
                                                      const Endpoint &local) {
  return Convert(listeners_.Resolve(netns_cookie, local));
}

absl::Status BpfDatapath::SetListenerVerdict(uint64_t netns_cookie,
                                             const Endpoint &local,
                                             ProcessVerdict verdict,
                                             uint64_t generation) {
  return listeners_.SetVerdict(
      netns_cookie, local, static_cast<process_verdict>(verdict), generation);
}

absl::Status BpfDatapath::SetProcessVerdict(const ProcessFacts &process,
                                            ProcessVerdict verdict,
                                            uint64_t generation) {
  process_verdict_entry entry{};
  entry.policy_generation = generation;
  entry.verdict = static_cast<uint32_t>(verdict);
  const bool of_listeners =
      (entry.verdict & PROCESS_VERDICT_LEAVE_INBOUND) != 0;
  const process_facts key = ToAbi(process);
  if (of_listeners) {
    listeners_.OwnerLeftAlone(key);  // before it is in force
  }
  absl::Status set = programs_->maps()->verdicts.Update(key, entry, BPF_ANY);
  if (of_listeners && ExecIdOf(process) != process.exec_id) {
    listeners_.OwnerChanged(process.tgid);  // its event may have come before
  }
  return set;
}

absl::Status BpfDatapath::LeaveDestinationAlone(const ProcessFacts &process,
                                                uint64_t netns_cookie,
                                                const Endpoint &destination,
                                                uint64_t generation) {
  destination_key key{};
  key.process = ToAbi(process);
  key.netns_cookie = netns_cookie;
  key.destination = ToAbi(destination);
  return programs_->maps()->destinations.Update(key, generation, BPF_ANY);
}

}  // namespace kith
