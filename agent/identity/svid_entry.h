// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/statusor.h"

#include "agent/identity/rotation_schedule.h"
#include "agent/identity/svid_request.h"
#include "agent/identity/svid_store.h"
#include "agent/identity/trust_bundle.h"

namespace kith {

// SvidEntry is a wanted SVID. Its next attempt is state.next_attempt.
struct SvidEntry {
  SvidState state;
  Backoff backoff;
  bool attempted = false;
  bool withdrawn = false;  // the SVID is not in force any more

  // Current returns the SVID, or Unavailable with the reason.
  absl::StatusOr<std::shared_ptr<const X509Svid>> Current(
      Clock::TimePoint now) const;

  // Record stores the result of an attempt and sets the next one's time.
  void Record(absl::StatusOr<RequestedSvid> result,
              Clock::TimePoint now,
              double jitter,
              absl::BitGenRef random);

  // Judge withdraws the SVID if `bundle` says that it is not in force, and
  // makes the next attempt due at once.
  void Judge(const TrustBundle &bundle, Clock::TimePoint now);
};

}  // namespace kith
