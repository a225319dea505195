// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/bundle_follower.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"

#include "agent/federation/bundle_file.h"
#include "agent/identity/rotation_schedule.h"
#include "agent/runtime/text_file.h"

namespace kith {
namespace {

// A part of each period, so that nodes that started together do not fetch
// together.
constexpr double kJitter = 0.1;
// Two failed refreshes in a row are no coincidence.
constexpr int kStalePeriods = 2;

absl::Status WentBack(int64_t from, int64_t to) {
  return absl::FailedPreconditionError(
      absl::StrCat("its sequence went back from ",
                   from,
                   " to ",
                   to,
                   ": the last good bundle stays in force"));
}

}  // namespace

BundleFollower::BundleFollower(Options options)
    : options_(std::move(options)),
      backoff_(std::make_unique<Backoff>()),
      period_(options_.refresh),
      stale_after_(kStalePeriods * period_) {
  state_.trust_domain = options_.trust_domain;
  state_.source = options_.source;
  state_.next_attempt = options_.clock->Now();
  // The first flows have the bundle of the last run.
  state_.last_error = LoadFiles();
  thread_ = std::thread([this] { Run(); });
}

BundleFollower::~BundleFollower() {
  Stop();
}

void BundleFollower::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

FollowedBundle BundleFollower::state() const {
  absl::MutexLock lock(&mutex_);
  FollowedBundle now = state_;
  now.stale = IsStale(options_.clock->Now());
  return now;
}

std::shared_ptr<const TrustBundle> BundleFollower::bundle() const {
  absl::MutexLock lock(&mutex_);
  return state_.bundle;
}

bool BundleFollower::IsStale(Clock::TimePoint now) const {
  return !state_.last_error.ok() && (!state_.fetched_at.has_value() ||
                                     *state_.fetched_at + stale_after_ <= now);
}

void BundleFollower::Run() {
  (void)::pthread_setname_np(::pthread_self(), "federation");
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    if (options_.clock->Now() < state_.next_attempt) {
      options_.clock->WaitUntil(mutex_, changed_, state_.next_attempt);
      continue;
    }
    mutex_.Unlock();
    Attempt();
    mutex_.Lock();
  }
}

void BundleFollower::Attempt() {
  const absl::StatusOr<bool> refreshed = Refresh();
  const Clock::TimePoint now = options_.clock->Now();
  std::chrono::milliseconds delay = period_;
  if (refreshed.ok()) {
    backoff_->Reset();
    delay -= std::chrono::milliseconds(
        static_cast<int64_t>(absl::Uniform(random_, 0.0, kJitter) *
                             static_cast<double>(delay.count())));
  } else {
    delay = std::min(delay, backoff_->Next(random_));
  }
  FollowedBundle after;
  {
    absl::MutexLock lock(&mutex_);
    state_.last_error = refreshed.ok() ? kept_ : refreshed.status();
    state_.next_attempt = now + delay;
    stale_after_ = kStalePeriods * period_;
    if (refreshed.ok()) {
      state_.fetched_at = now;
    }
    after = state_;
    after.stale = IsStale(now);
  }
  if (options_.on_attempt) {
    options_.on_attempt(after, refreshed.value_or(false));
  }
}

absl::StatusOr<bool> BundleFollower::Refresh() {
  if (bundle() == nullptr && !options_.first_bundle.empty()) {
    if (absl::Status loaded = LoadFiles(); !loaded.ok()) {
      return loaded;
    }
  }
  auto text = options_.fetch(bundle());
  if (!text.ok()) {
    return text.status();
  }
  return TakeText(*text);
}

// An unchanged bundle object is kept, because it remembers verified chains.
// Another server of the same domain may send a lower sequence.
absl::StatusOr<bool> BundleFollower::TakeText(std::string_view text) {
  auto document = ParseBundleDocument(text, options_.trust_domain);
  if (!document.ok()) {
    return document.status();
  }
  document->authorities.names_all = true;
  period_ = std::clamp(document->refresh_hint.value_or(options_.refresh),
                       options_.min_refresh,
                       options_.max_refresh);
  const FollowedBundle last = state();
  if (last.bundle != nullptr &&
      last.bundle->authorities().front() == document->authorities) {
    absl::MutexLock lock(&mutex_);
    state_.sequence = std::max(last.sequence, document->sequence);
    return false;
  }
  if (last.sequence.has_value() && document->sequence.has_value() &&
      *document->sequence < *last.sequence) {
    return WentBack(*last.sequence, *document->sequence);
  }
  auto bundle = TrustBundle::Create({document->authorities});
  if (!bundle.ok()) {
    return bundle.status();
  }
  {
    absl::MutexLock lock(&mutex_);
    state_.bundle = *std::move(bundle);
    state_.sequence = document->sequence;
  }
  kept_ = Keep(*document);  // the bundle is in force in any case
  return true;
}

absl::Status BundleFollower::Keep(const BundleDocument &bundle) const {
  if (options_.kept_bundle.empty()) {
    return absl::OkStatus();
  }
  auto text = EncodeBundleDocument(bundle);
  return text.ok() ? WriteBundleFile(options_.kept_bundle, *text)
                   : text.status();
}

absl::Status BundleFollower::LoadFiles() {
  absl::Status status;
  for (const std::string &file :
       {options_.kept_bundle, options_.first_bundle}) {
    if (file.empty()) {
      continue;
    }
    auto text = ReadTextFile(file);
    status = text.ok() ? TakeText(*text).status() : text.status();
    if (status.ok()) {
      return status;
    }
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no bundle yet: ", status.message()));
}

}  // namespace kith
