// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/issuer/ca_directory.h"
#include "agent/runtime/clock.h"
#include "kith/certificate_authority.h"

namespace kith {

// The file that lists the authorities of an embedded CA.
inline constexpr std::string_view kAuthorityList = "authorities";

// AuthorityRow is one line of the list: stem of the files (.key, .crt, .crl),
// key identifier, state, second of the last change.
struct AuthorityRow {
  std::string stem;
  std::string id;
  AuthorityState state;
  Clock::TimePoint since;
};

// ReadAuthorityList returns DataLoss if the list is damaged, or does not have
// exactly one active authority.
absl::StatusOr<std::vector<AuthorityRow>> ReadAuthorityList(
    const CaDirectory &directory);

absl::Status WriteAuthorityList(const CaDirectory &directory,
                                const std::vector<AuthorityRow> &rows);

}  // namespace kith
