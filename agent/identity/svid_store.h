// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/identity/trust_bundle.h"
#include "agent/identity/x509_svid.h"
#include "agent/runtime/clock.h"
#include "kith/issuer.h"

namespace kith {

// SvidSpec describes the SVID that one identity wants.
struct SvidSpec {
  SpiffeId id;
  std::vector<std::string> dns_names;
  std::chrono::seconds ttl{3600};
  bool operator==(const SvidSpec &) const = default;
};

// SvidState is one row of `kith identities`.
struct SvidState {
  SvidSpec spec;
  std::shared_ptr<const X509Svid> svid;  // null: none yet
  absl::Status last_error;
  std::chrono::system_clock::time_point next_attempt;  // renewal or retry
  uint64_t rotations = 0;  // SVIDs issued after the first
  // Why the SVID lives shorter than the spec says; empty if it does not.
  std::string ttl_note;
};

// SvidStore keeps a valid SVID for every identity: it generates the keys, calls
// the issuer, renews at half life with jitter and retries with back-off, all on
// one thread of its own. Get never blocks on the issuer. Thread-safe.
class SvidStore {
 public:
  struct Options {
    // Fraction of the remaining half life by which a renewal may come earlier.
    double jitter = 0.1;
    std::string jwt_issuer;  // `iss` of JWT-SVIDs; empty: they have none
    // Called on the store's thread after each attempt (for logs and metrics).
    std::function<void(const SvidState &)> on_attempt;
    // Called on the store's thread after the bundle has changed.
    std::function<void(const TrustBundle &)> on_bundle;
    Clock *clock = &SystemClock();  // must outlive the store
  };

  static absl::StatusOr<std::unique_ptr<SvidStore>> Create(
      std::shared_ptr<Issuer> issuer, Options options);
  virtual ~SvidStore() = default;

  // SetSpecs makes `specs` the wanted set: it issues new ones at once, reissues
  // changed ones, and forgets absent ones. One SPIFFE ID has one spec.
  virtual void SetSpecs(std::vector<SvidSpec> specs) = 0;

  // WaitUntilAttempted returns when each wanted SVID was tried once, or false
  // at the deadline.
  virtual bool WaitUntilAttempted(std::chrono::milliseconds deadline) = 0;

  // Refresh fetches the bundle at once. When it returns, SVIDs that the issuer
  // revoked before the call are out of use, Options::on_bundle was called, and
  // new SVIDs are being requested. The error is that of the fetch: the last
  // good bundle stays in force.
  virtual absl::Status Refresh() = 0;

  // Get returns a valid SVID that is not revoked. Unavailable, with the
  // issuer's error and the time of the next retry, while there is none;
  // NotFound for an ID not in the set.
  virtual absl::StatusOr<std::shared_ptr<const X509Svid>> Get(
      const SpiffeId &id) const = 0;

  // IssueJwt returns a JWT-SVID of an ID in the set. Errors are those of Get
  // and of the issuer. Blocks as long as the issuer does.
  virtual absl::StatusOr<std::string> IssueJwt(
      const SpiffeId &id, const std::vector<std::string> &audience) = 0;

  // bundle returns the current trust bundle; null before the first one.
  virtual std::shared_ptr<const TrustBundle> bundle() const = 0;

  // bundle_status returns the error of the last attempt to fetch the bundle.
  virtual absl::Status bundle_status() const = 0;

  virtual std::vector<SvidState> List() const = 0;
  virtual std::string issuer_description() const = 0;

  // Stop ends the store's thread: no callback is called any more, nothing is
  // renewed, and Refresh fails. Do not call it from a callback.
  virtual void Stop() = 0;
};

}  // namespace kith
