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

// SpiffeServer is a server that is known by its X509-SVID (SPIFFE Federation,
// section 5.2.2, https_spiffe).
struct SpiffeServer {
  SpiffeId id;
  std::shared_ptr<const TrustBundle> bundle;
};

// WebRequest asks for one document.
struct WebRequest {
  Url url;
  // Absent: by its name and the Web PKI (section 5.2.1, https_web).
  std::optional<SpiffeServer> server;
  std::string ca_file;  // of the Web PKI; "": this system's
  size_t max_bytes = size_t{1} << 20;
  std::chrono::milliseconds limit{15'000};  // for all of it, but DNS
  int stop_fd = -1;  // borrowed: once readable, the fetch ends
};

// FetchWeb returns the body of the answer to GET. Redirections are not
// followed: they lead to whoever could answer in the server's place.
// Unavailable: the server cannot be reached, is another one, or answers
// anything but 200. Blocks: never on an event loop.
absl::StatusOr<std::string> FetchWeb(const WebRequest &request);

}  // namespace kith
