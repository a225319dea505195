// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "kith/spiffe_id.h"

namespace kith {

// PeerIdentity is the identity that a verified X509-SVID proves.
struct PeerIdentity {
  SpiffeId id;
  std::string serial;  // lower-case hex, no separators
  std::chrono::system_clock::time_point not_after;
  // Key identifier of the authority that signed the SVID, lower-case hex.
  std::string authority = {};
};

}  // namespace kith
