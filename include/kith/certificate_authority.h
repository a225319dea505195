// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "kith/spiffe_id.h"

namespace kith {

// SvidRecord is one X509-SVID as its issuer and its flows know it.
struct SvidRecord {
  std::string serial;     // lower-case hex, no separators
  std::string authority;  // key identifier of the signer; empty: not known
  std::string spiffe_id;
  std::chrono::system_clock::time_point not_after;
};

// SvidTarget is what an operator revokes: one SVID, or every one of an ID.
struct SvidTarget {
  std::string serial;
  std::optional<SpiffeId> id;

  bool Names(const SvidRecord &svid) const {
    return id.has_value() ? svid.spiffe_id == id->uri() : svid.serial == serial;
  }
};

// CertificateAuthority is what an operator may do with an issuer that holds its
// own keys. Thread-safe; calls may block. Changes are on disk when a call
// returns, and in force where Issuer::FetchAuthorities was called after it.
class CertificateAuthority {
 public:
  virtual ~CertificateAuthority() = default;

  // RevokeSvids revokes what `target` names among the SVIDs that were issued
  // here and among `in_use`, and returns it. NotFound: nothing.
  // ResourceExhausted: too many are revoked at this time.
  virtual absl::StatusOr<std::vector<SvidRecord>> RevokeSvids(
      const SvidTarget &target, const std::vector<SvidRecord> &in_use) = 0;
};

}  // namespace kith
