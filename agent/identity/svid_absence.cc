// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/svid_absence.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace kith {
namespace {

std::string TimeText(Clock::TimePoint at) {
  return absl::FormatTime(
      "%Y-%m-%dT%H:%M:%SZ", absl::FromChrono(at), absl::UTCTimeZone());
}

}  // namespace

absl::Status NoSuchId(const SpiffeId &id) {
  return absl::NotFoundError(
      absl::StrCat("no identity has the SPIFFE ID ", id.uri()));
}

absl::Status NotIssued(const SvidState &state) {
  const std::string &id = state.spec.id.uri();
  if (state.last_error.ok()) {
    return absl::UnavailableError(
        absl::StrCat("the SVID of ", id, " is being issued"));
  }
  return absl::UnavailableError(absl::StrCat("no SVID of ",
                                             id,
                                             ": ",
                                             state.last_error.message(),
                                             "; next attempt at ",
                                             TimeText(state.next_attempt)));
}

}  // namespace kith
