// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/join_slots.h"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>

namespace kith {

absl::StatusOr<std::unique_ptr<JoinSlots>> JoinSlots::Map(int fd,
                                                          uint32_t count) {
  void *mapped = mmap(nullptr,
                      count * sizeof(join_slot),
                      PROT_READ | PROT_WRITE,
                      MAP_SHARED,
                      fd,
                      0);
  if (mapped == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "mmap of the join slots");
  }
  return std::unique_ptr<JoinSlots>(
      new JoinSlots(static_cast<join_slot *>(mapped), count));
}

JoinSlots::~JoinSlots() {
  (void)munmap(mapped_, count_ * sizeof(join_slot));
}

std::optional<uint32_t> JoinSlots::TakeFree() {
  if (never_used_ < count_) {
    never_used_ += 2;
    return never_used_ - 2;
  }
  if (resting_.empty() ||
      std::chrono::steady_clock::now() - resting_.front().since < kRest) {
    return std::nullopt;
  }
  const uint32_t pair = resting_.front().pair;
  resting_.pop_front();
  return pair;
}

std::optional<uint32_t> JoinSlots::Take() {
  absl::MutexLock lock(&mutex_);
  const auto pair = TakeFree();
  if (pair.has_value()) {
    for (uint32_t index : {*pair, *pair + 1}) {
      mapped_[index] = {};
      std::atomic_ref<__u64>(mapped_[index].generation).store(++generation_);
    }
  }
  return pair;
}

void JoinSlots::Give(uint32_t pair) {
  for (uint32_t index : {pair, pair + 1}) {
    std::atomic_ref<__u64>(mapped_[index].generation).store(0);
  }
  absl::MutexLock lock(&mutex_);
  resting_.push_back({pair, std::chrono::steady_clock::now()});
}

}  // namespace kith
