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

// What an embedded CA remembers of the SVIDs that it has signed: text files in
// its directory, one SVID a line. Every call is made under the directory's
// lock.

// An entry stays on the CRL for this long after the SVID has expired (RFC 5280
// section 3.3: until it was on a regular CRL beyond that), which is also the
// life of a CRL.
inline constexpr std::chrono::hours kCrlLifetime{24};

// The most SVIDs that are revoked at a time. A CRL of that many has 170 KB; who
// needs more has lost the authority, which is what tainting it is for.
inline constexpr size_t kMaxRevoked = 4096;

// IssuedSvids lists the SVIDs that have not expired (file `issued`: serial,
// authority, end, SPIFFE ID). A line that is lost with the machine's power is
// no loss: the keys of the machine's SVIDs are gone with it.
class IssuedSvids {
 public:
  static constexpr std::string_view kFile = "issued";

  // Add is called before an SVID is handed out. ResourceExhausted: 100,000 are
  // alive, twice as many as flows can be open.
  absl::Status Add(const CaDirectory &directory,
                   const SvidRecord &svid,
                   Clock::TimePoint now);

  // List returns those that are alive at `now`. A line that was cut short is
  // one that was never handed out.
  static absl::StatusOr<std::vector<SvidRecord>> List(
      const CaDirectory &directory, Clock::TimePoint now);

 private:
  absl::Status Compact(const CaDirectory &directory, Clock::TimePoint now);

  size_t compact_at_ = size_t{256} << 10;  // bytes
};

// RevokedSvids is the list that CRLs are made of (file `revoked`: serial,
// authority, when, until when it is listed).
class RevokedSvids {
 public:
  static constexpr std::string_view kFile = "revoked";

  // Load returns the entries to be listed at `now`. DataLoss: a line is
  // damaged; none is ever skipped, for it may be the one that matters.
  static absl::StatusOr<RevokedSvids> Load(const CaDirectory &directory,
                                           Clock::TimePoint now);

  // Add enters `svids` that are not there, and replaces the file in one step.
  // ResourceExhausted: kMaxRevoked.
  absl::Status Add(const CaDirectory &directory,
                   const std::vector<SvidRecord> &svids,
                   Clock::TimePoint now);

  // Merge enters what `other` lists and this does not, and replaces the file.
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
