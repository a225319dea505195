// SPDX-License-Identifier: Apache-2.0
#include "agent/types/url.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kith {
namespace {

absl::Status Invalid(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("the URL '", text, "' ", why));
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

// TakeHost moves the host off the front of "host:port" or "[address]:port".
absl::StatusOr<std::string> TakeHost(std::string_view &authority) {
  const bool bracketed = absl::ConsumePrefix(&authority, "[");
  const size_t end = authority.find(bracketed ? ']' : ':');
  std::string host(authority.substr(0, end));
  authority.remove_prefix(host.size());
  const auto is_wrong = [bracketed](unsigned char c) {
    return !absl::ascii_isalnum(c) && c != '.' && c != '-' && c != '_' &&
           !(bracketed && c == ':');
  };
  if (host.empty() || std::ranges::any_of(host, is_wrong) ||
      (bracketed && !absl::ConsumePrefix(&authority, "]"))) {
    return absl::InvalidArgumentError("has no host name or address");
  }
  return host;
}

bool IsTarget(std::string_view target) {
  return std::ranges::all_of(
      target, [](unsigned char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

}  // namespace

std::string Url::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
}

absl::StatusOr<Url> ParseUrl(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "http://")) {
    url.tls = false;
    url.port = 80;
  } else if (!absl::ConsumePrefix(&rest, "https://")) {
    return Invalid(text, "does not begin with https://");
  }
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(authority.size());
  auto host = TakeHost(authority);
  if (!host.ok()) {
    return Invalid(text, host.status().message());
  }
  url.host = *std::move(host);
  uint32_t port = url.port;
  if (!authority.empty() &&
      (!absl::ConsumePrefix(&authority, ":") ||
       !absl::SimpleAtoi(authority, &port) || port == 0 || port > UINT16_MAX)) {
    return Invalid(text, "has a wrong port, or a user name");
  }
  url.port = static_cast<uint16_t>(port);
  url.target = absl::StrCat(rest.starts_with("/") ? "" : "/", rest);
  if (!IsTarget(url.target)) {
    return Invalid(text, "has a fragment, or characters that are not escaped");
  }
  if (!url.tls && !IsLoopback(url.host)) {
    return Invalid(text, "is http, which is for this machine only: use https");
  }
  return url;
}

}  // namespace kith
