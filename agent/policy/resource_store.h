// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/policy/resource_watch.h"
#include "agent/runtime/file_descriptor.h"
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
  ~ResourceStore() { Stop(); }
  ResourceStore(const ResourceStore &) = delete;
  ResourceStore &operator=(const ResourceStore &) = delete;

  // current is never null.
  std::shared_ptr<const ResourceSet> current() const;
  Status status() const;

  // Stop ends the store's thread: `on_load` is not called any more. Not from
  // there.
  void Stop();

 private:
  ResourceStore(std::vector<std::string> paths,
                std::string trust_domain,
                OnLoad on_load,
                ResourceWatch watch)
      : paths_(std::move(paths)),
        trust_domain_(std::move(trust_domain)),
        on_load_(std::move(on_load)),
        watch_(std::move(watch)) {}

  absl::Status Start();
  absl::StatusOr<ResourceSet> Load();
  void Follow();
  bool Arm();
  void Reload();
  std::shared_ptr<const ResourceSet> Publish(ResourceSet set);

  const std::vector<std::string> paths_;
  const std::string trust_domain_;
  const OnLoad on_load_;
  ResourceWatch watch_;  // the store's thread, once it runs
  FileDescriptor timer_;
  FileDescriptor stop_;
  mutable std::mutex mutex_;  // current_, status_
  std::shared_ptr<const ResourceSet> current_;
  Status status_;
  std::thread thread_;
};

}  // namespace kith
