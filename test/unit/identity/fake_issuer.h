// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"

#include "agent/identity/svid_store.h"
#include "agent/issuer/embedded_ca.h"
#include "test/fakes/fake_clock.h"
#include "test/unit/identity/temporary_directory.h"

namespace kith {

// FakeIssuer is an embedded CA that fails on demand and counts its calls.
class FakeIssuer final : public Issuer {
 public:
  explicit FakeIssuer(std::shared_ptr<Issuer> real) : real_(std::move(real)) {}

  absl::StatusOr<IssuedSvid> Issue(const SvidRequest &request) override {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request);
    for (const absl::Status &failure : {failure_, issue_failure_}) {
      if (!failure.ok()) {
        return failure;
      }
    }
    return real_->Issue(request);
  }
  absl::StatusOr<Authorities> FetchAuthorities() override {
    absl::MutexLock lock(&mutex_);
    ++fetches_;
    if (!failure_.ok()) {
      return failure_;
    }
    return authorities_.has_value() ? *authorities_ : real_->FetchAuthorities();
  }
  std::string Describe() const override { return "fake issuer"; }

  void Fail(absl::Status failure) {
    absl::MutexLock lock(&mutex_);
    failure_ = std::move(failure);
  }
  void FailIssue(absl::Status failure) {
    absl::MutexLock lock(&mutex_);
    issue_failure_ = std::move(failure);
  }
  void SetAuthorities(Authorities authorities) {
    absl::MutexLock lock(&mutex_);
    authorities_ = std::move(authorities);
  }
  std::vector<SvidRequest> requests() {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }
  // AwaitFetches returns when the bundle was asked for `count` times.
  bool AwaitFetches(int count) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [&] { return fetches_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&reached),
                                   absl::Seconds(30));
  }

 private:
  const std::shared_ptr<Issuer> real_;
  absl::Mutex mutex_;
  absl::Status failure_;
  absl::Status issue_failure_;
  std::optional<Authorities> authorities_;
  std::vector<SvidRequest> requests_;
  int fetches_ = 0;
};

// StoreFixture is a store over a fake issuer at a time of its own.
struct StoreFixture {
  static constexpr std::chrono::seconds kLong{30};  // of real time; never spent

  TemporaryDirectory directory;
  FakeClock clock{Clock::TimePoint(std::chrono::seconds(1'800'000'000))};
  std::shared_ptr<FakeIssuer> issuer = std::make_shared<FakeIssuer>(
      CreateEmbeddedCa(directory.path(), "example.org", clock).value());
  absl::Mutex mutex;
  std::vector<SvidState> attempts;
  std::unique_ptr<SvidStore> store = MakeStore();

  std::unique_ptr<SvidStore> MakeStore() {
    SvidStore::Options options;
    options.clock = &clock;
    options.on_attempt = [this](const SvidState &state) {
      absl::MutexLock lock(&mutex);
      attempts.push_back(state);
    };
    return SvidStore::Create(issuer, options).value();
  }

  static SvidSpec Spec(const std::string &path, int ttl = 3600) {
    return {SpiffeId::FromPath("example.org", path).value(),
            {},
            std::chrono::seconds(ttl)};
  }

  // AwaitAttempts returns the attempts when there are `count` of them.
  std::vector<SvidState> AwaitAttempts(size_t count) {
    absl::MutexLock lock(&mutex);
    const auto reached = [&] { return attempts.size() >= count; };
    mutex.AwaitWithTimeout(absl::Condition(&reached), absl::FromChrono(kLong));
    return attempts;
  }
};

}  // namespace kith
