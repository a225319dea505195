// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/statusor.h"

#include "kith/certificate_authority.h"

namespace kith {

// CaView is the part of the issuer that the admin API may use. The agent
// implements it. Thread-safe.
class CaView {
 public:
  virtual ~CaView() = default;

  struct Revocation {
    std::vector<SvidRecord> svids;
    size_t flows = 0;  // open flows that these SVIDs authenticated
  };
  // RevokeSvids returns the revoked SVIDs, whose flows are being reset.
  // NotFound: nothing has that name.
  virtual absl::StatusOr<Revocation> RevokeSvids(const SvidTarget &target) = 0;

  // The other methods act as those of CertificateAuthority. A change is in
  // force here when the call returns; flows of a tainted authority are being
  // reset.
  virtual absl::StatusOr<std::vector<AuthorityRecord>> ListAuthorities() = 0;
  virtual absl::StatusOr<std::string> ChangeAuthority(
      const AuthorityOrder &order) = 0;
  virtual absl::StatusOr<std::vector<JwtKeyRecord>> ListJwtKeys() = 0;
  virtual absl::StatusOr<std::string> RotateJwtKey(bool at_once) = 0;
  virtual absl::Status RevokeJwtKey(const std::string &id) = 0;
};

}  // namespace kith
