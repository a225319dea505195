// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/identity/svid_store.h"

namespace kith {

// RequestedSvid is the result of one attempt.
struct RequestedSvid {
  std::shared_ptr<const X509Svid> svid;
  std::string ttl_note;  // SvidState::ttl_note
};

// RequestSvid generates a key, asks the issuer for an SVID over it (the issuer
// may answer with another key) and checks the answer. Blocks as long as the
// issuer does.
absl::StatusOr<RequestedSvid> RequestSvid(const SvidSpec &spec,
                                          Issuer &issuer,
                                          Clock::TimePoint now);

}  // namespace kith
