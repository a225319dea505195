// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/evp.h>

#include "agent/identity/ca_directory.h"
#include "agent/identity/jwt_svid.h"
#include "agent/identity/rotation_schedule.h"
#include "agent/runtime/clock.h"

namespace kith {

// A key signs for a day. Its successor is published well before it signs, so
// that every agent of the machine and everybody who follows the bundle has it;
// it stays published until the last token that it may have signed has expired.
inline constexpr std::chrono::hours kJwtKeyPeriod{24};
inline constexpr std::chrono::seconds kJwtKeyLead = 2 * kBundleRefresh;
inline constexpr std::chrono::seconds kJwtKeyLinger =
    2 * kBundleRefresh + kJwtSvidTtl;

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

  // authorities returns the public halves, oldest first.
  std::vector<JwtAuthority> authorities() const;

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
  absl::Status Add(Clock::TimePoint signs_from, bssl::UniquePtr<EVP_PKEY> key);

  std::vector<Entry> entries_;  // by signs_from
};

}  // namespace kith
