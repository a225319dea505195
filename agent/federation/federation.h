// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "agent/config/web_config.h"
#include "agent/federation/bundle_follower.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {

// Federation follows the bundles of all foreign trust domains, and joins them
// to the own one. Thread-safe.
class Federation {
 public:
  struct Options {
    std::vector<FederatedDomainConfig> trust_domains;
    std::string state_dir;  // its subdirectory keeps the last good bundles
    // Called on threads of the federation.
    std::function<void(const FollowedBundle &now, bool changed)> on_attempt;
  };

  static absl::StatusOr<std::unique_ptr<Federation>> Create(Options options);
  ~Federation();

  using Bundle = std::shared_ptr<const TrustBundle>;

  // JoinAll and Join return `own` with the foreign domains whose bundle is
  // known: all of them, or those in the list. The same object while nothing of
  // it has changed; null for null.
  Bundle JoinAll(const Bundle &own) const;
  Bundle Join(const Bundle &own,
              const std::vector<std::string> &federates_with) const;

  std::vector<FollowedBundle> List() const;

  // Stop ends the threads: nothing is followed, and no callback is called any
  // more. Do not call it from a callback.
  void Stop();

 private:
  // Joined is a result with its inputs.
  struct Joined {
    Bundle own;
    std::vector<Bundle> foreign;
    Bundle result;
  };

  explicit Federation(FileDescriptor stop) : stop_(std::move(stop)) {}
  Bundle JoinThese(const Bundle &own, std::vector<std::string> names) const;

  const FileDescriptor stop_;  // eventfd
  std::map<std::string, std::unique_ptr<BundleFollower>> followers_;
  mutable absl::Mutex mutex_;
  // By the names. Documents bound the number of lists; at the bound all lists
  // are dropped, including those of removed documents.
  static constexpr size_t kMaxJoined = 4'096;
  mutable std::map<std::vector<std::string>, Joined> joined_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace kith
