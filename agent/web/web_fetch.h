// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "agent/identity/trust_bundle.h"
#include "agent/types/url.h"

namespace kith {

// SpiffeServer is a server that its X509-SVID authenticates (SPIFFE Federation,
// section 5.2.2, https_spiffe).
struct SpiffeServer {
  SpiffeId id;
  std::shared_ptr<const TrustBundle> bundle;
};

// WebRequest asks for one document.
struct WebRequest {
  Url url;
  // Absent: the name and the Web PKI authenticate the server (section 5.2.1,
  // https_web).
  std::optional<SpiffeServer> server;
  std::string ca_file;  // of the Web PKI; "": this system's
  size_t max_bytes = size_t{1} << 20;
  std::chrono::milliseconds limit{15'000};  // for everything except DNS
  int stop_fd = -1;  // borrowed: once readable, the fetch ends
};

// FetchWeb returns the body of the answer to GET. It does not follow
// redirections, which lead to servers that are not authenticated as this one.
// Unavailable: the server cannot be reached, is another one, or answers
// anything but 200. Blocks: never on an event loop.
absl::StatusOr<std::string> FetchWeb(const WebRequest &request);

}  // namespace kith
