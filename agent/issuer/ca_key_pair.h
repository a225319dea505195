// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "agent/issuer/ca_directory.h"
#include "agent/runtime/clock.h"

namespace kith {

// CaKeyPair is the key of an authority with its self-signed certificate.
struct CaKeyPair {
  bssl::UniquePtr<EVP_PKEY> key;
  bssl::UniquePtr<X509> certificate;
};

// LoadOrCreateCaKeyPair returns the first authority in `directory` (ca.key,
// ca.crt), or creates it. A key without a certificate comes from a creation
// that was interrupted before the authority was used; it is completed with the
// same key. Errors name the file.
absl::StatusOr<CaKeyPair> LoadOrCreateCaKeyPair(const CaDirectory &directory,
                                                const std::string &trust_domain,
                                                Clock::TimePoint now);

// LoadCaKeyPair returns the authority in STEM.key and STEM.crt, which must be
// valid at `now`.
absl::StatusOr<CaKeyPair> LoadCaKeyPair(const CaDirectory &directory,
                                        const std::string &stem,
                                        const std::string &trust_domain,
                                        Clock::TimePoint now);

// CreateCaKeyPair creates an authority in new files.
absl::StatusOr<CaKeyPair> CreateCaKeyPair(const CaDirectory &directory,
                                          const std::string &stem,
                                          const std::string &trust_domain,
                                          Clock::TimePoint now);

}  // namespace kith
