// SPDX-License-Identifier: Apache-2.0
// Export and import of attached hooks: the parent pins them, so that the child
// can replace the programs of the links at once, and then leaves them alone.
// The maps, and every flow's entry, stay the same.
#include "agent/datapath/bpf_datapath.h"

namespace kith {

absl::Status NetnsPresence::LeaveToChild() {
  left_ = true;
  steering_.LeaveToChild(true);
  absl::Status pinned = absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  for (const auto &[cookie, entry] : present_) {
    if (entry.sk_lookup.valid()) {
      pinned.Update(steering_.PinSkLookup(cookie, entry.sk_lookup.get()));
    }
  }
  return pinned;
}

absl::Status NetnsPresence::Rollback(bool lost) {
  if (lost) {
    // The state of the hooks stays in place until it is replaced.
    for (const NetnsRow &row : Rows()) {
      thread_->Run([this, &row] { Drop(row.netns_cookie); });
    }
  }
  steering_.LeaveToChild(false);
  left_ = false;
  return EnterAll();
}

// A parent that still exports flows dials for them, unsteered.
void BpfDatapath::LeaveAlone(uint32_t pid) {
  uint64_t generation = 0;
  {
    absl::MutexLock lock(&generation_mutex_);
    generation = generation_;
  }
  if (auto process = FindProcess(pid); process.ok()) {
    (void)SetProcessVerdict(
        process->process, ProcessVerdict::kNotWorkload, generation);
  }
}

absl::Status BpfDatapath::PinAll() {
  absl::Status pinned = PinMaps();
  if (pinned.ok()) {
    pinned = attachments_->PinLinks();
  }
  if (pinned.ok()) {
    pinned = presence_->LeaveToChild();
  }
  absl::MutexLock lock(&watch_mutex_);
  if (pinned.ok() && watch_.ok()) {
    pinned = (*watch_)->LeaveIn(pins_);
  }
  return pinned;
}

absl::StatusOr<std::vector<FileDescriptor>> BpfDatapath::Export() {
  auto claim = claim_.Share();
  if (!claim.ok()) {
    return claim;
  }
  // A ring buffer has one reader.
  events_.reset();
  exported_ = true;
  if (auto pinned = PinAll(); !pinned.ok()) {
    (void)Rollback(false);
    return pinned;
  }
  return claim;
}

absl::Status BpfDatapath::Rollback(bool lost) {
  {
    // Policy may have changed meanwhile.
    absl::MutexLock lock(&generation_mutex_);
    exported_ = false;
    control_.SetPolicyGeneration(generation_);
  }
  absl::Status back = StartEvents();
  if (lost) {
    control_.SetAgent(self_.tgid, self_.start_time_ns);
    AttachWatch();
    back.Update(attachments_->AttachObservers());
  }
  back.Update(presence_->Rollback(lost));
  if (lost) {
    TakeOverVerdicts();
    back.Update(attachments_->AttachSteering());
  }
  if (!options_.pin) {
    pins_.Remove();
  }
  return back;
}

}  // namespace kith
