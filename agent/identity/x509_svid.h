// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "agent/identity/peer_identity.h"
#include "kith/issuer.h"

namespace kith {

// X509Svid is a private key with its certificate chain (X509-SVID standard).
// Immutable, so that flows of several threads can share it; a rotation makes a
// new one, and open flows keep theirs.
class X509Svid {
 public:
  // Create checks that the leaf is a well-formed SVID for `id` over `key`.
  static absl::StatusOr<std::shared_ptr<const X509Svid>> Create(
      SpiffeId id, bssl::UniquePtr<EVP_PKEY> key, std::vector<Der> chain);

  ~X509Svid();
  const SpiffeId &id() const { return leaf_.id; }
  const std::string &serial() const { return leaf_.serial; }
  // authority returns the key identifier of the authority that signed the
  // chain's last certificate.
  const std::string &authority() const { return leaf_.authority; }
  std::chrono::system_clock::time_point not_before() const {
    return not_before_;
  }
  std::chrono::system_clock::time_point not_after() const {
    return leaf_.not_after;
  }
  // For handshake/ only. The key stays owned by the SVID.
  EVP_PKEY *key() const { return key_.get(); }
  const std::vector<Der> &chain() const { return chain_; }

 private:
  X509Svid() = default;

  PeerIdentity leaf_;
  std::chrono::system_clock::time_point not_before_;
  bssl::UniquePtr<EVP_PKEY> key_;
  std::vector<Der> chain_;
};

}  // namespace kith
