// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "agent/identity/bundle_document.h"
#include "agent/runtime/clock.h"

namespace kith {

// OwnBundle numbers the bundles of the own trust domain for its followers.
// Thread-safe.
class OwnBundle {
 public:
  // `file` keeps the last bundle, so that its number never decreases and is
  // never used for another bundle.
  OwnBundle(std::string file,
            std::chrono::seconds refresh_hint,
            const Clock &clock = SystemClock())
      : file_(std::move(file)), refresh_hint_(refresh_hint), clock_(clock) {}

  // Document returns the JSON text of the bundle with these authorities. Agents
  // that share an authority derive numbers from the clock, so that their
  // numbers nearly agree.
  absl::StatusOr<std::string> Document(const Authorities &own);

 private:
  const std::string file_;
  const std::chrono::seconds refresh_hint_;
  const Clock &clock_;
  absl::Mutex mutex_;
  BundleDocument last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kith
