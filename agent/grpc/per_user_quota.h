// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace kith {

// PerUserQuota bounds the uses of one resource, in total and for each user, so
// that no user can take it all. Confined to one event loop.
class PerUserQuota : public std::enable_shared_from_this<PerUserQuota> {
 public:
  struct Bounds {
    size_t total = 0;
    size_t per_user = 0;
  };

  // Place is one use; destruction returns it. Move-only.
  class Place {
   public:
    Place(std::shared_ptr<PerUserQuota> quota, uid_t user)
        : quota_(std::move(quota)), user_(user) {}
    Place(Place &&) noexcept = default;
    Place &operator=(Place &&) = delete;
    ~Place() {
      if (quota_ != nullptr) {
        quota_->GiveBack(user_);
      }
    }

   private:
    std::shared_ptr<PerUserQuota> quota_;
    uid_t user_;
  };

  explicit PerUserQuota(Bounds bounds) : bounds_(bounds) {}

  // Take returns nullopt if a bound is reached.
  std::optional<Place> Take(uid_t user) {
    if (taken_ == bounds_.total) {
      return std::nullopt;
    }
    size_t &of_user = users_[user];
    if (of_user == bounds_.per_user) {
      return std::nullopt;
    }
    ++taken_;
    ++of_user;
    return Place(shared_from_this(), user);
  }

 private:
  void GiveBack(uid_t user) {
    --taken_;
    const auto found = users_.find(user);
    if (--found->second == 0) {
      users_.erase(found);
    }
  }

  const Bounds bounds_;
  size_t taken_ = 0;
  std::map<uid_t, size_t> users_;
};

}  // namespace kith
