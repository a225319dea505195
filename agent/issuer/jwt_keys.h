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
// that every agent of the machine and every follower of the bundle has it. A
// key stays published until the last token that it may have signed has expired.
inline constexpr std::chrono::hours kJwtKeyPeriod{24};
inline constexpr std::chrono::seconds kJwtKeyLead = 2 * kBundleRefresh;
inline constexpr std::chrono::seconds kJwtKeyLinger =
    2 * kBundleRefresh + kJwtSvidTtl;

// Every bundle has all keys; a retired key stays for a quarter of an hour.
inline constexpr size_t kMostJwtKeys = 8;

// JwtKeys are the keys that sign the JWT-SVIDs of an embedded CA. They are kept
// beside the CA's key as `jwt-TIME.key` (PKCS#8 PEM, mode 0600), where TIME is
// the second since 1970 from which on the key signs. Immutable.
class JwtKeys {
 public:
  // LoadAndRotate reads the keys, creates the first or next key if it is due,
  // and removes keys that are no longer needed. An unusable file is an error
  // that names the file.
  static absl::StatusOr<JwtKeys> LoadAndRotate(const CaDirectory &directory,
                                               Clock::TimePoint now);

  // Signer returns the newest key that signs at `now`. Unavailable: none.
  absl::StatusOr<JwtSigner> Signer(Clock::TimePoint now) const;

  // Rotate creates a key that signs after kJwtKeyLead, or at once (in the first
  // second that no other key has), and returns its id. FailedPrecondition: the
  // next key exists already; ResourceExhausted: there are kMostJwtKeys.
  absl::StatusOr<std::string> Rotate(const CaDirectory &directory,
                                     bool at_once,
                                     Clock::TimePoint now);

  // Revoke deletes the key; if needed, it first creates another key that signs
  // at once. NotFound: no key has this id.
  absl::Status Revoke(const CaDirectory &directory,
                      const std::string &id,
                      Clock::TimePoint now);

  // authorities returns the public halves, oldest first; List also returns the
  // state of each at `now`.
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
