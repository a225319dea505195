// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kith/issuer.h"

namespace kith {

// Revocations is the index of everything that a trust domain has revoked.
// Immutable. The age of a CRL does not matter here: what it names stays
// revoked.
class Revocations {
 public:
  // Create returns InvalidArgument for a CRL that is malformed or that no
  // authority of the domain signed.
  static absl::StatusOr<Revocations> Create(const Authorities &domain);

  // Check returns FailedPrecondition, with the reason, if the certificate with
  // `serial` by the authority with that key identifier is not in force: the
  // certificate or its authority is revoked (if the domain publishes that), or
  // the authority is tainted. An empty identifier stands for each authority.
  absl::Status Check(std::string_view authority, std::string_view serial) const;

 private:
  absl::Status Add(const Der &crl, const Authorities &domain);

  bool complete_ = false;  // no other authority is in force
  absl::flat_hash_set<std::string> authorities_;
  absl::flat_hash_set<std::string> tainted_;
  absl::flat_hash_set<std::string> revoked_;  // "authority/serial"
};

}  // namespace kith
