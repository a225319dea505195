// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/identity/crl.h"
#include "agent/issuer/ca_directory.h"
#include "agent/runtime/clock.h"
#include "kith/certificate_authority.h"

namespace kith {

// IssuedSvids and RevokedSvids are an embedded CA's records of the SVIDs that
// it signed: text files in its directory, one SVID a line. Every call needs the
// directory's lock.

// An entry stays on the CRL for this long after the SVID has expired (RFC 5280
// section 3.3: until it was on a regular CRL beyond that). It is also the
// lifetime of a CRL.
inline constexpr std::chrono::hours kCrlLifetime{24};

// The most SVIDs that are revoked at a time. A CRL of this size has 170 KB; a
// larger incident means a lost authority, which should be tainted.
inline constexpr size_t kMaxRevoked = 4096;

// IssuedSvids lists the SVIDs that have not expired (file `issued`: serial,
// authority, end, SPIFFE ID). A line may be lost with the machine's power,
// because the keys of the machine's SVIDs are lost then as well.
class IssuedSvids {
 public:
  static constexpr std::string_view kFile = "issued";

  // Add must be called before an SVID is handed out. ResourceExhausted: 100,000
  // are alive, twice as many as flows can be open.
  absl::Status Add(const CaDirectory &directory,
                   const SvidRecord &svid,
                   Clock::TimePoint now);

  // List returns the SVIDs that are alive at `now`. It skips a truncated line:
  // that SVID was never handed out.
  static absl::StatusOr<std::vector<SvidRecord>> List(
      const CaDirectory &directory, Clock::TimePoint now);

 private:
  absl::Status Compact(const CaDirectory &directory, Clock::TimePoint now);

  size_t compact_at_ = size_t{256} << 10;  // bytes
};

// RevokedSvids is the source of the CRLs (file `revoked`: serial, authority,
// time of revocation, end of listing).
class RevokedSvids {
 public:
  static constexpr std::string_view kFile = "revoked";

  // Load returns the entries to list at `now`. DataLoss: a line is damaged;
  // Load skips none, because that line may be the one that matters.
  static absl::StatusOr<RevokedSvids> Load(const CaDirectory &directory,
                                           Clock::TimePoint now);

  // Add enters the new ones of `svids` and replaces the file atomically.
  // ResourceExhausted: kMaxRevoked.
  absl::Status Add(const CaDirectory &directory,
                   const std::vector<SvidRecord> &svids,
                   Clock::TimePoint now);

  // Merge adds the entries of `other` that are missing, and replaces the file.
  absl::Status Merge(const CaDirectory &directory, const RevokedSvids &other);

  // Of returns the entries of one authority, sorted.
  std::vector<RevokedSerial> Of(std::string_view authority) const;

 private:
  struct Entry {
    RevokedSerial revoked;
    std::string authority;
    Clock::TimePoint until;
  };

  bool Lists(const Entry &wanted) const;
  absl::Status Save(const CaDirectory &directory) const;

  std::vector<Entry> entries_;
};

}  // namespace kith
