// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/x509.h>

#include "agent/identity/revocations.h"
#include "agent/identity/verified_chains.h"
#include "kith/issuer.h"

namespace kith {

// A longer chain is refused before parsing: SVIDs with their intermediates are
// 1 to 4 KiB, and the cost of path building grows with the number.
inline constexpr size_t kMaxChainCertificates = 8;
inline constexpr size_t kMaxCertificateBytes = size_t{16} << 10;

// CheckBounds must be the first check of a chain; InvalidArgument.
absl::Status CheckBounds(const std::vector<Der> &chain);

// ParsedChain is a peer's chain whose leaf follows the SVID rules.
struct ParsedChain {
  SpiffeId id;
  std::vector<bssl::UniquePtr<X509>> certificates;  // leaf first
};

// ParseChain expects a chain within the bounds.
absl::StatusOr<ParsedChain> ParseChain(const std::vector<Der> &chain);

// ChainVerifier finds paths to the authorities of one trust domain. Immutable
// and thread-safe.
class ChainVerifier {
 public:
  // Create refuses certificates that are no authorities (svid_rules.h), and
  // CRLs that none of them signed. An empty list of certificates means a
  // revoked trust domain (SPIFFE Trust Domain and Bundle, section 4.1.2): it
  // verifies no peer.
  static absl::StatusOr<std::unique_ptr<const ChainVerifier>> Create(
      const Authorities &domain);

  const Revocations &revocations() const { return revocations_; }

  // Verify implements TrustBundle::VerifyPeer.
  absl::StatusOr<VerifiedChain> Verify(
      const ParsedChain &chain,
      std::chrono::system_clock::time_point now) const;

 private:
  ChainVerifier() = default;

  bssl::UniquePtr<X509_STORE> store_;
  Revocations revocations_;
};

}  // namespace kith
