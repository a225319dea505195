// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/resource_store.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/policy/resource_watch.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

// From the first change to the load: long enough for the several steps of an
// editor or of `cp -r`, and far below the second within which a removed
// identity must be out of force. Later changes do not postpone it, so that a
// directory that changes all the time is still read.
constexpr long kDebounceNanos = 100'000'000;

bool SameContents(const ResourceSet &a, const ResourceSet &b) {
  const auto same = [](const auto &x, const auto &y) { return *x == *y; };
  return std::equal(a.identities.begin(),
                    a.identities.end(),
                    b.identities.begin(),
                    b.identities.end(),
                    same) &&
         std::equal(a.services.begin(),
                    a.services.end(),
                    b.services.begin(),
                    b.services.end(),
                    same) &&
         a.warnings == b.warnings;
}

class FollowingStore : public ResourceStore {
 public:
  FollowingStore(std::vector<std::string> paths,
                 std::string trust_domain,
                 OnLoad on_load,
                 ResourceWatch watch)
      : paths_(std::move(paths)),
        trust_domain_(std::move(trust_domain)),
        on_load_(std::move(on_load)),
        watch_(std::move(watch)) {}

  ~FollowingStore() override { Stop(); }

  void Stop() override {
    if (thread_.joinable()) {
      const uint64_t one = 1;
      (void)!::write(stop_.get(), &one, sizeof(one));
      thread_.join();
    }
  }

  absl::Status Start() {
    timer_.Reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_.valid()) {
      return absl::ErrnoToStatus(errno, "timerfd_create");
    }
    stop_.Reset(::eventfd(0, EFD_CLOEXEC));
    if (!stop_.valid()) {
      return absl::ErrnoToStatus(errno, "eventfd");
    }
    auto set = Load();
    if (!set.ok()) {
      return set.status();
    }
    set->generation = 1;
    current_ = std::make_shared<const ResourceSet>(*std::move(set));
    status_.loaded_at = std::chrono::system_clock::now();
    thread_ = std::thread([this] { Follow(); });
    return absl::OkStatus();
  }

  std::shared_ptr<const ResourceSet> current() const override {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  Status status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  absl::StatusOr<ResourceSet> Load() {
    if (auto status = watch_.Sync(); !status.ok()) {
      return status;
    }
    return LoadResources(paths_, trust_domain_);
  }

  void Follow() {
    std::array<pollfd, 3> waiting = {{{stop_.get(), POLLIN, 0},
                                      {timer_.get(), POLLIN, 0},
                                      {watch_.fd(), POLLIN, 0}}};
    bool armed = false;
    for (;;) {
      if (::poll(waiting.data(), waiting.size(), -1) < 0) {
        continue;  // EINTR: nothing else can go wrong with these
      }
      if (waiting[0].revents != 0) {
        return;
      }
      if (waiting[2].revents != 0 && watch_.Drain() && !armed) {
        armed = Arm();
      }
      uint64_t expirations = 0;
      if (waiting[1].revents != 0 &&
          ::read(timer_.get(), &expirations, sizeof(expirations)) > 0) {
        armed = false;
        Reload();
      }
    }
  }

  bool Arm() {
    const itimerspec once = {.it_interval = {},
                             .it_value = {0, kDebounceNanos}};
    return ::timerfd_settime(timer_.get(), 0, &once, nullptr) == 0;
  }

  void Reload() {
    auto set = Load();
    if (!set.ok()) {
      {
        const std::lock_guard lock(mutex_);
        status_.last_error = set.status();
      }
      on_load_(set.status());
      return;
    }
    if (auto changed = Publish(*std::move(set)); changed != nullptr) {
      on_load_(changed);
    }
  }

  // Publish returns the set in force, or null if there is nothing to report.
  std::shared_ptr<const ResourceSet> Publish(ResourceSet set) {
    const std::lock_guard lock(mutex_);
    const bool was_good = status_.last_error.ok();
    const bool same = SameContents(set, *current_);
    status_ = {.last_error = absl::OkStatus(),
               .loaded_at = std::chrono::system_clock::now()};
    if (same) {
      return was_good ? nullptr : current_;
    }
    set.generation = current_->generation + 1;
    current_ = std::make_shared<const ResourceSet>(std::move(set));
    return current_;
  }

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

}  // namespace

absl::StatusOr<std::unique_ptr<ResourceStore>> ResourceStore::Create(
    std::vector<std::string> paths, std::string trust_domain, OnLoad on_load) {
  auto watch = ResourceWatch::Create(paths);
  if (!watch.ok()) {
    return watch.status();
  }
  auto store = std::make_unique<FollowingStore>(std::move(paths),
                                                std::move(trust_domain),
                                                std::move(on_load),
                                                *std::move(watch));
  if (auto status = store->Start(); !status.ok()) {
    return status;
  }
  return store;
}

}  // namespace kith
