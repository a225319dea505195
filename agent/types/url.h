// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kith {

// Url is the address from which a document is fetched.
struct Url {
  bool tls = true;
  std::string host;  // a DNS name or an IP address, without brackets
  uint16_t port = 443;
  std::string target = "/";  // path and query

  // authority returns "host:port", with an IPv6 address in brackets.
  std::string authority() const;
};

// ParseUrl reads "https://host[:port][/path][?query]". "http" is accepted for
// 127.0.0.1, [::1] and localhost only, because others on the network path could
// change the document. InvalidArgument also for user names and fragments
// (SPIFFE Federation, section 5.2.1, forbids the former).
absl::StatusOr<Url> ParseUrl(std::string_view text);

}  // namespace kith
