// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/identity/certificate.h"
#include "agent/issuer/ca_directory.h"
#include "agent/issuer/ca_key_pair.h"
#include "agent/runtime/clock.h"
#include "kith/certificate_authority.h"
#include "kith/issuer.h"

namespace kith {

// CaAuthorities are the authorities of an embedded CA, each self-signed and
// with a key of its own, so that one can be revoked without the others.
//
//   prepared --activate--> active --(another is activated)--> old
//   old --taint--> tainted --revoke--> gone
//
// The list (ca_authority_list.h) is replaced atomically: after its files are
// written, and before files that it no longer names are removed. A directory
// without a list has one authority, `ca`.
class CaAuthorities {
 public:
  // A handful is needed at most; more would make bundles and chains long.
  static constexpr size_t kMost = 8;

  struct Entry {
    std::string stem;
    std::string id;  // key identifier, lower-case hex
    AuthorityState state = AuthorityState::kPrepared;
    Clock::TimePoint since;
    std::shared_ptr<const CaKeyPair> pair;
    Der certificate;
    Validity validity;
  };

  // LoadOrCreate creates the first authority if the directory has none.
  static absl::StatusOr<CaAuthorities> LoadOrCreate(
      const CaDirectory &directory,
      const std::string &trust_domain,
      Clock::TimePoint now);

  // Load never creates one. Every error names the file.
  static absl::StatusOr<CaAuthorities> Load(const CaDirectory &directory,
                                            const std::string &trust_domain,
                                            Clock::TimePoint now);

  // Apply makes the change on disk and in memory, or neither, and returns the
  // identifier of the authority. FailedPrecondition: the authority's state
  // forbids the change, and the message says what to do; NotFound: no authority
  // has that name.
  absl::StatusOr<std::string> Apply(const CaDirectory &directory,
                                    const std::string &trust_domain,
                                    const AuthorityOrder &order,
                                    Clock::TimePoint now);

  const std::vector<Entry> &entries() const { return entries_; }
  const Entry &active() const;  // there is always one

 private:
  absl::Status Add(const CaDirectory &directory,
                   std::string stem,
                   CaKeyPair pair);
  absl::StatusOr<std::string> Prepare(const CaDirectory &directory,
                                      const std::string &trust_domain,
                                      Clock::TimePoint now);
  absl::Status Change(Entry &entry,
                      const AuthorityOrder &order,
                      Clock::TimePoint now);
  absl::Status Activate(Entry &entry, bool at_once, Clock::TimePoint now);
  absl::Status Save(const CaDirectory &directory) const;

  std::vector<Entry> entries_;
};

}  // namespace kith
