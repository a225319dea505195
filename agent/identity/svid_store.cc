// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/svid_store.h"

#include <pthread.h>

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/random/random.h"
#include "absl/time/time.h"

#include "agent/identity/rotation_schedule.h"
#include "agent/identity/svid_absence.h"
#include "agent/identity/svid_entry.h"

namespace kith {
namespace {

class RotatingSvidStore final : public SvidStore {
 public:
  RotatingSvidStore(std::shared_ptr<Issuer> issuer, Options options)
      : issuer_(std::move(issuer)),
        options_(std::move(options)),
        next_bundle_(options_.clock->Now()),
        thread_([this] { Run(); }) {}

  ~RotatingSvidStore() override { Stop(); }

  void Stop() override {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      changed_.SignalAll();
    }
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  void SetSpecs(std::vector<SvidSpec> specs) override;
  bool WaitUntilAttempted(std::chrono::milliseconds deadline) override;
  absl::Status Refresh() override;
  absl::StatusOr<std::shared_ptr<const X509Svid>> Get(
      const SpiffeId &id) const override;
  absl::StatusOr<std::string> IssueJwt(
      const SpiffeId &id, const std::vector<std::string> &audience) override {
    {
      absl::ReaderMutexLock lock(&mutex_);
      if (!entries_.contains(id)) {
        return NoSuchId(id);
      }
    }
    return issuer_->IssueJwt({id, audience, options_.jwt_issuer});
  }
  std::shared_ptr<const TrustBundle> bundle() const override {
    absl::ReaderMutexLock lock(&mutex_);
    return bundle_;
  }
  absl::Status bundle_status() const override {
    absl::ReaderMutexLock lock(&mutex_);
    return bundle_status_;
  }
  std::vector<SvidState> List() const override;
  std::string issuer_description() const override {
    return issuer_->Describe();
  }

 private:
  void Run();
  // DueSpec returns the spec that is due first.
  std::optional<SvidSpec> DueSpec(Clock::TimePoint now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Clock::TimePoint NextWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Attempt(const SvidSpec &spec) ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t RefreshesWanted() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::ReaderMutexLock lock(&mutex_);
    return refreshes_wanted_;
  }
  void RefreshBundle() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status TakeBundle(absl::StatusOr<Authorities> fetched)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<Issuer> issuer_;
  const Options options_;
  absl::BitGen random_;     // of the store's thread
  Backoff bundle_backoff_;  // of the store's thread

  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  std::map<SpiffeId, SvidEntry> entries_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const TrustBundle> bundle_ ABSL_GUARDED_BY(mutex_);
  absl::Status bundle_status_ ABSL_GUARDED_BY(mutex_);
  bool bundle_attempted_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t refreshes_wanted_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t refreshes_done_ ABSL_GUARDED_BY(mutex_) = 0;
  Clock::TimePoint next_bundle_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses everything above
};

void RotatingSvidStore::SetSpecs(std::vector<SvidSpec> specs) {
  absl::MutexLock lock(&mutex_);
  std::map<SpiffeId, SvidEntry> wanted;
  for (SvidSpec &spec : specs) {
    const auto known = entries_.find(spec.id);
    SvidEntry entry = known == entries_.end() ? SvidEntry() : known->second;
    if (known == entries_.end() || entry.state.spec != spec) {
      // A changed spec keeps its SVID in use until the new one is issued.
      entry.attempted = false;
      entry.backoff.Reset();
      entry.state.next_attempt = options_.clock->Now();
      entry.state.spec = spec;
    }
    wanted.insert_or_assign(spec.id, std::move(entry));
  }
  entries_ = std::move(wanted);
  changed_.SignalAll();
}

bool RotatingSvidStore::WaitUntilAttempted(std::chrono::milliseconds deadline) {
  absl::MutexLock lock(&mutex_);
  const auto done = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return bundle_attempted_ &&
           std::ranges::all_of(entries_, [](const auto &item) {
             return item.second.attempted;
           });
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&done),
                                 absl::FromChrono(deadline));
}

absl::Status RotatingSvidStore::Refresh() {
  absl::MutexLock lock(&mutex_);
  const uint64_t wanted = ++refreshes_wanted_;
  changed_.SignalAll();
  const auto done = [this, wanted]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopping_ || refreshes_done_ >= wanted;
  };
  mutex_.Await(absl::Condition(&done));
  return refreshes_done_ >= wanted
             ? bundle_status_
             : absl::CancelledError("SVIDs are not renewed any more");
}

absl::StatusOr<std::shared_ptr<const X509Svid>> RotatingSvidStore::Get(
    const SpiffeId &id) const {
  const Clock::TimePoint now = options_.clock->Now();
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return NoSuchId(id);
  }
  return found->second.Current(now);
}

std::vector<SvidState> RotatingSvidStore::List() const {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<SvidState> states;
  states.reserve(entries_.size());
  for (const auto &[id, entry] : entries_) {
    states.push_back(entry.state);
  }
  return states;
}

void RotatingSvidStore::Run() {
  (void)::pthread_setname_np(::pthread_self(), "svid-store");
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    const Clock::TimePoint now = options_.clock->Now();
    const bool bundle_due =
        next_bundle_ <= now || refreshes_done_ < refreshes_wanted_;
    const std::optional<SvidSpec> due = DueSpec(now);
    if (!bundle_due && !due.has_value()) {
      options_.clock->WaitUntil(mutex_, changed_, NextWork());
      continue;
    }
    // The issuer may block: the lock is not held meanwhile.
    mutex_.Unlock();
    if (bundle_due) {
      RefreshBundle();
    } else {
      Attempt(*due);
    }
    mutex_.Lock();
  }
}

std::optional<SvidSpec> RotatingSvidStore::DueSpec(Clock::TimePoint now) const {
  const SvidEntry *first = nullptr;
  for (const auto &[id, entry] : entries_) {
    if (entry.state.next_attempt <= now &&
        (first == nullptr ||
         entry.state.next_attempt < first->state.next_attempt)) {
      first = &entry;
    }
  }
  return first == nullptr ? std::nullopt
                          : std::optional<SvidSpec>(first->state.spec);
}

Clock::TimePoint RotatingSvidStore::NextWork() const {
  Clock::TimePoint next = next_bundle_;
  for (const auto &[id, entry] : entries_) {
    next = std::min(next, entry.state.next_attempt);
  }
  return next;
}

void RotatingSvidStore::Attempt(const SvidSpec &spec) {
  absl::StatusOr<RequestedSvid> result =
      RequestSvid(spec, *issuer_, options_.clock->Now());
  SvidState after;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(spec.id);
    if (found == entries_.end() || found->second.state.spec != spec) {
      return;  // no longer wanted like this
    }
    found->second.Record(
        std::move(result), options_.clock->Now(), options_.jitter, random_);
    after = found->second.state;
  }
  if (options_.on_attempt) {
    options_.on_attempt(after);
  }
}

void RotatingSvidStore::RefreshBundle() {
  const uint64_t wanted = RefreshesWanted();
  const absl::Status status = TakeBundle(issuer_->FetchAuthorities());
  const Clock::TimePoint now = options_.clock->Now();
  absl::MutexLock lock(&mutex_);
  bundle_status_ = status;
  bundle_attempted_ = true;
  refreshes_done_ = wanted;
  if (status.ok()) {
    bundle_backoff_.Reset();
    next_bundle_ = now + kBundleRefresh;
  } else {
    next_bundle_ = now + bundle_backoff_.Next(random_);
  }
}

absl::Status RotatingSvidStore::TakeBundle(
    absl::StatusOr<Authorities> fetched) {
  if (!fetched.ok()) {
    return fetched.status();
  }
  // An unchanged bundle object is kept, because it remembers verified chains.
  const auto known = this->bundle();
  if (known != nullptr && known->authorities().front() == *fetched) {
    return absl::OkStatus();
  }
  absl::StatusOr<std::shared_ptr<const TrustBundle>> bundle =
      TrustBundle::Create({*std::move(fetched)});
  if (!bundle.ok()) {
    return bundle.status();
  }
  {
    absl::MutexLock lock(&mutex_);
    bundle_ = *bundle;
    for (auto &[id, entry] : entries_) {
      entry.Judge(**bundle, options_.clock->Now());
    }
  }
  if (options_.on_bundle) {
    options_.on_bundle(**bundle);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SvidStore>> SvidStore::Create(
    std::shared_ptr<Issuer> issuer, Options options) {
  if (issuer == nullptr || options.jitter < 0 || options.jitter >= 1) {
    return absl::InvalidArgumentError(
        "an SVID store needs an issuer and a jitter in [0, 1)");
  }
  return std::make_unique<RotatingSvidStore>(std::move(issuer),
                                             std::move(options));
}

}  // namespace kith
