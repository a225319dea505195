// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"

#include "agent/identity/svid_request.h"
#include "agent/issuer/embedded_ca.h"
#include "agent/workloadapi/workload_api.h"
#include "test/fakes/temporary_directory.h"

namespace kith {

// FakeWorkloadApiSource gives every caller the identity that the test says,
// from a real issuer.
class FakeWorkloadApiSource final : public WorkloadApiSource {
 public:
  static SpiffeId Id(const std::string &path) {
    return SpiffeId::FromPath("example.org", path).value();
  }

  // Serve makes `identity` the answer; an SVID is issued for a new ID.
  void Serve(absl::StatusOr<SpiffeId> identity) {
    absl::MutexLock lock(&mutex_);
    identity_ = std::move(identity);
    if (identity_.ok() &&
        (svid_ == nullptr || svid_->id() != identity_.value())) {
      svid_ = Issue(*identity_);
    }
  }
  // Rotate issues another SVID for the identity.
  void Rotate() {
    absl::MutexLock lock(&mutex_);
    svid_ = Issue(identity_.value());
  }
  void Withhold() {
    absl::MutexLock lock(&mutex_);
    svid_ = nullptr;
  }
  void SetBundle(std::shared_ptr<const TrustBundle> bundle) {
    absl::MutexLock lock(&mutex_);
    bundle_ = std::move(bundle);
  }
  // SetFacts makes the callers' processes look changed.
  void SetFacts(ProcessFacts facts) {
    absl::MutexLock lock(&mutex_);
    facts_ = facts;
  }
  std::shared_ptr<const X509Svid> svid() {
    absl::MutexLock lock(&mutex_);
    return svid_;
  }
  Issuer &issuer() { return *issuer_; }
  int identified() {
    absl::MutexLock lock(&mutex_);
    return identified_;
  }

  absl::StatusOr<ApiCaller> Identify(const PeerProcess &process) override {
    absl::MutexLock lock(&mutex_);
    ++identified_;
    if (process.pid() != getpid()) {
      return absl::PermissionDeniedError("another process");
    }
    if (!identity_.ok()) {
      return identity_.status();
    }
    return ApiCaller{facts_, *identity_};
  }
  absl::StatusOr<std::vector<ProcessFacts>> ListProcesses() override {
    absl::MutexLock lock(&mutex_);
    return std::vector<ProcessFacts>{facts_};
  }
  absl::StatusOr<std::shared_ptr<const X509Svid>> GetX509Svid(
      const SpiffeId &id) override {
    absl::MutexLock lock(&mutex_);
    if (svid_ == nullptr || svid_->id() != id) {
      return absl::UnavailableError("the SVID is being issued");
    }
    return svid_;
  }
  std::shared_ptr<const TrustBundle> bundle(const SpiffeId &) override {
    absl::MutexLock lock(&mutex_);
    return bundle_;
  }
  absl::StatusOr<std::string> IssueJwtSvid(
      const SpiffeId &id, const std::vector<std::string> &audience) override {
    return issuer_->IssueJwt({id, audience});
  }

 private:
  std::shared_ptr<const X509Svid> Issue(const SpiffeId &id) {
    return RequestSvid({.id = id}, *issuer_, SystemClock().Now())->svid;
  }

  const TemporaryDirectory directory_;
  const std::shared_ptr<Issuer> issuer_ =
      CreateEmbeddedCa(directory_.File("ca"), "example.org").value();
  absl::Mutex mutex_;
  int identified_ = 0;
  ProcessFacts facts_{};
  absl::StatusOr<SpiffeId> identity_ = Id("demo/web");
  std::shared_ptr<const X509Svid> svid_ = Issue(Id("demo/web"));
  std::shared_ptr<const TrustBundle> bundle_ =
      TrustBundle::Create({issuer_->FetchAuthorities().value()}).value();
};

}  // namespace kith
