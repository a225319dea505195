// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/svid_entry.h"

#include <utility>

#include "agent/identity/svid_absence.h"

namespace kith {

absl::StatusOr<std::shared_ptr<const X509Svid>> SvidEntry::Current(
    Clock::TimePoint now) const {
  if (state.svid != nullptr && !withdrawn && now < state.svid->not_after()) {
    return state.svid;
  }
  return NotIssued(state);
}

void SvidEntry::Record(absl::StatusOr<RequestedSvid> result,
                       Clock::TimePoint now,
                       double jitter,
                       absl::BitGenRef random) {
  attempted = true;
  state.last_error = result.status();
  if (!result.ok()) {
    if (!absl::IsUnavailable(result.status())) {
      backoff.GiveUp();
    }
    state.next_attempt = now + backoff.Next(random);
    return;
  }
  state.rotations += state.svid == nullptr ? 0 : 1;
  state.svid = std::move(result->svid);
  state.ttl_note = std::move(result->ttl_note);
  state.next_attempt =
      RenewalTime(now, state.svid->not_after(), jitter, random);
  backoff.Reset();
  withdrawn = false;
}

void SvidEntry::Judge(const TrustBundle &bundle, Clock::TimePoint now) {
  if (state.svid == nullptr || withdrawn) {
    return;
  }
  const absl::Status judged = bundle.CheckInForce({state.spec.id.trust_domain(),
                                                   state.svid->serial(),
                                                   state.svid->authority()});
  if (judged.ok()) {
    return;
  }
  withdrawn = true;
  state.last_error = judged;
  state.next_attempt = now;
  backoff.Reset();
}

}  // namespace kith
