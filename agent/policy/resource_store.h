// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "kith/resource.h"

namespace kith {

// LoadResources reads every *.yaml, *.yml and *.json below `paths` (files or
// directories, sorted by name; a missing directory is empty, a missing file an
// error) and validates the whole. The error names file, line and field of the
// first fault. `trust_domain` completes workloadIDs.
absl::StatusOr<ResourceSet> LoadResources(const std::vector<std::string> &paths,
                                          const std::string &trust_domain);

// ResourceStore keeps the last good set and follows changes of the files
// (inotify, debounced) on one thread of its own. Thread-safe.
class ResourceStore {
 public:
  struct Status {
    absl::Status last_error;  // of the newest load; the old set is in force
    std::chrono::system_clock::time_point loaded_at;
  };
  // Called on the store's thread after each load: the set in force, or an
  // error. A load that changes nothing after a good one is not reported.
  using OnLoad = std::function<void(
      const absl::StatusOr<std::shared_ptr<const ResourceSet>> &)>;

  // Create loads once and fails if that load fails; `on_load` is called for
  // later loads only.
  static absl::StatusOr<std::unique_ptr<ResourceStore>> Create(
      std::vector<std::string> paths, std::string trust_domain, OnLoad on_load);
  virtual ~ResourceStore() = default;

  // current is never null.
  virtual std::shared_ptr<const ResourceSet> current() const = 0;
  virtual Status status() const = 0;

  // Stop ends the store's thread: `on_load` is not called any more. Do not call
  // it from `on_load`.
  virtual void Stop() = 0;
};

}  // namespace kith
