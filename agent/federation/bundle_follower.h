// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "agent/identity/bundle_document.h"
#include "agent/identity/trust_bundle.h"
#include "agent/runtime/clock.h"

namespace kith {

class Backoff;

// FollowedBundle is the state of a foreign trust domain's bundle.
struct FollowedBundle {
  std::string trust_domain;
  std::string source;
  std::shared_ptr<const TrustBundle> bundle;  // the last good one; null: none
  std::optional<int64_t> sequence;
  std::optional<Clock::TimePoint> fetched_at;  // the last success
  Clock::TimePoint next_attempt;
  absl::Status last_error;
  // The last good bundle is older than allowed: what its domain has revoked
  // since then is still trusted.
  bool stale = false;
};

// BundleFollower keeps the bundle of one foreign trust domain fresh, on a
// thread of its own: a slow server delays no other domain. The last good bundle
// stays in force while fetching fails, and is kept in a file for the next
// start. Thread-safe.
class BundleFollower {
 public:
  // Fetch returns the document. It may block; it gets the last good bundle.
  using Fetch = std::function<absl::StatusOr<std::string>(
      const std::shared_ptr<const TrustBundle> &last)>;

  struct Options {
    std::string trust_domain;
    std::string source;
    Fetch fetch;
    std::string first_bundle;  // a file, read while there is no bundle
    std::string kept_bundle;   // file for the last good one; "": not kept
    // Refresh periods: of a bundle without hint, and the bounds of hints.
    std::chrono::seconds refresh{300};
    std::chrono::seconds min_refresh{5};
    std::chrono::seconds max_refresh{3600};
    // Called on the follower's thread after each attempt; `changed`: the bundle
    // has changed.
    std::function<void(const FollowedBundle &now, bool changed)> on_attempt;
    Clock *clock = &SystemClock();
  };

  explicit BundleFollower(Options options);
  ~BundleFollower();

  // Stop ends the thread; a running fetch must end by itself.
  void Stop();

  FollowedBundle state() const;
  // bundle returns the last good bundle; null: none yet.
  std::shared_ptr<const TrustBundle> bundle() const;

 private:
  void Run();
  void Attempt();
  absl::StatusOr<bool> Refresh();
  absl::StatusOr<bool> TakeText(std::string_view text);
  absl::Status Keep(const BundleDocument &bundle) const;
  // LoadFiles loads the kept bundle, else the first one.
  absl::Status LoadFiles();
  bool IsStale(Clock::TimePoint now) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const Options options_;
  absl::BitGen random_;                     // used by the thread only
  const std::unique_ptr<Backoff> backoff_;  // used by the thread only
  std::chrono::seconds period_;  // thread only: between two refreshes
  absl::Status kept_;            // thread only: of the newest bundle

  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  FollowedBundle state_ ABSL_GUARDED_BY(mutex_);
  std::chrono::seconds stale_after_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace kith
