// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kith/issuer.h"

namespace kith {

// Revocations is what a trust domain has taken back, for quick questions.
// Immutable. How old a CRL is does not matter here: it names what is revoked,
// and stays true.
class Revocations {
 public:
  // Create returns InvalidArgument for a CRL that cannot be read or that no
  // authority of the domain has signed.
  static absl::StatusOr<Revocations> Create(const Authorities &domain);

  // Check returns FailedPrecondition, with the reason, if a certificate with
  // `serial` by the authority with that key identifier is not in force: it, or
  // the authority, is revoked (where the domain tells of that), or the
  // authority is tainted. An empty identifier stands for each authority.
  absl::Status Check(std::string_view authority, std::string_view serial) const;

 private:
  absl::Status Add(const Der &crl, const Authorities &domain);

  bool complete_ = false;  // no other authority is in force
  absl::flat_hash_set<std::string> authorities_;
  absl::flat_hash_set<std::string> tainted_;
  absl::flat_hash_set<std::string> revoked_;  // "authority/serial"
};

}  // namespace kith
