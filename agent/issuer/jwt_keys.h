// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/evp.h>

#include "agent/identity/jwt_svid.h"
#include "agent/identity/rotation_schedule.h"
#include "agent/issuer/ca_directory.h"
#include "agent/runtime/clock.h"
#include "kith/certificate_authority.h"

namespace kith {

// A key signs for a day. Its successor is published well before it signs, so
// that every agent of the machine and everybody who follows the bundle has it;
// it stays published until the last token that it may have signed has expired.
inline constexpr std::chrono::hours kJwtKeyPeriod{24};
inline constexpr std::chrono::seconds kJwtKeyLead = 2 * kBundleRefresh;
inline constexpr std::chrono::seconds kJwtKeyLinger =
    2 * kBundleRefresh + kJwtSvidTtl;

// Every bundle has them all, and each needs but a quarter of an hour to go.
inline constexpr size_t kMostJwtKeys = 8;

// JwtKeys are the keys that sign the JWT-SVIDs of an embedded CA. They are kept
// beside the CA's key as `jwt-TIME.key` (PKCS#8 PEM, mode 0600), where TIME is
// the second since 1970 from which on the key signs. Immutable.
class JwtKeys {
 public:
  // LoadAndRotate reads the keys, makes the first or the next one if it is due,
  // and removes those that are no longer needed. A file that cannot be used is
  // an error that names it.
  static absl::StatusOr<JwtKeys> LoadAndRotate(const CaDirectory &directory,
                                               Clock::TimePoint now);

  // Signer returns the newest key that signs at `now`. Unavailable: none does.
  absl::StatusOr<JwtSigner> Signer(Clock::TimePoint now) const;

  // Rotate makes a key that signs after kJwtKeyLead, or at once (in the first
  // second that has no other key), and returns its id. FailedPrecondition: the
  // next key is there already; ResourceExhausted: there are kMostJwtKeys.
  absl::StatusOr<std::string> Rotate(const CaDirectory &directory,
                                     bool at_once,
                                     Clock::TimePoint now);

  // Revoke deletes the key, after another one that signs at once is there if it
  // was needed. NotFound: there is no key with this id.
  absl::Status Revoke(const CaDirectory &directory,
                      const std::string &id,
                      Clock::TimePoint now);

  // authorities returns the public halves, oldest first; List also what each
  // does at `now`.
  std::vector<JwtAuthority> authorities() const;
  std::vector<JwtKeyRecord> List(Clock::TimePoint now) const;

 private:
  struct Entry {
    Clock::TimePoint signs_from;
    JwtAuthority authority;
    bssl::UniquePtr<EVP_PKEY> key;
  };

  absl::Status Load(const CaDirectory &directory);
  absl::Status RemoveRetired(const CaDirectory &directory,
                             Clock::TimePoint now);
  absl::Status AddNext(const CaDirectory &directory, Clock::TimePoint now);
  absl::Status Generate(const CaDirectory &directory, Clock::TimePoint from);
  absl::Status Add(Clock::TimePoint signs_from, bssl::UniquePtr<EVP_PKEY> key);
  bool TakesFileOf(Clock::TimePoint from) const;

  std::vector<Entry> entries_;  // by signs_from
};

}  // namespace kith
