// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "abi/join.h"

namespace kith {

// JoinSlots is the agent's mapping of the map `join_slots`, and which of its
// pairs of slots are free. Thread-safe.
class JoinSlots {
 public:
  // A hook that runs while its flow ends may still look at the flow's slots. A
  // pair is used again after this time: a hook takes microseconds.
  static constexpr std::chrono::seconds kRest{1};

  // Map maps the map `fd` of `count` slots, an even number.
  static absl::StatusOr<std::unique_ptr<JoinSlots>> Map(int fd, uint32_t count);
  ~JoinSlots();
  JoinSlots(const JoinSlots &) = delete;
  JoinSlots &operator=(const JoinSlots &) = delete;

  // Take returns the even index of a pair of zeroed slots, of which both have
  // a generation of their own; nothing if all are in use or at rest.
  std::optional<uint32_t> Take();
  // Give takes the pair back; no hook must find it any more.
  void Give(uint32_t pair);

  join_slot &at(uint32_t index) { return mapped_[index]; }

 private:
  struct Resting {
    uint32_t pair;
    std::chrono::steady_clock::time_point since;
  };
  JoinSlots(join_slot *mapped, uint32_t count)
      : mapped_(mapped), count_(count) {}
  std::optional<uint32_t> TakeFree() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  join_slot *const mapped_;
  const uint32_t count_;
  absl::Mutex mutex_;
  uint32_t never_used_ ABSL_GUARDED_BY(mutex_) = 0;  // from here on
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Resting> resting_ ABSL_GUARDED_BY(mutex_);  // oldest first
};

}  // namespace kith
