// SPDX-License-Identifier: Apache-2.0
#include "kith/spiffe_id.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kith {
namespace {

constexpr std::string_view kScheme = "spiffe://";

// The message quotes input from peers and files: bounded, and escaped so that
// it cannot forge a log line.
absl::Status Invalid(std::string_view uri, std::string_view rule) {
  constexpr size_t kMaxQuoted = 128;
  std::string quoted;
  for (char c : uri.substr(0, kMaxQuoted)) {
    quoted.push_back(absl::ascii_isprint(static_cast<unsigned char>(c)) ? c
                                                                        : '?');
  }
  return absl::InvalidArgumentError(
      absl::StrCat("invalid SPIFFE ID '",
                   quoted,
                   uri.size() > kMaxQuoted ? "..." : "",
                   "': ",
                   rule));
}

bool IsSegmentChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '-' || c == '_';
}

bool IsTrustDomainChar(char c) {
  return IsSegmentChar(c) &&
         !absl::ascii_isupper(static_cast<unsigned char>(c));
}

// Returns the rule that the path ("" or "/a/b") breaks, or "".
std::string_view BrokenPathRule(std::string_view path) {
  if (path.empty()) {
    return "";
  }
  if (path.back() == '/') {
    return "path must not end with a slash";
  }
  for (std::string_view segment : absl::StrSplit(path.substr(1), '/')) {
    if (segment.empty()) {
      return "path must not have an empty segment";
    }
    if (segment == "." || segment == "..") {
      return "path must not have a '.' or '..' segment";
    }
    if (!std::all_of(segment.begin(), segment.end(), IsSegmentChar)) {
      return "path may have letters, digits, '.', '-', '_' and '/' only (no "
             "query, fragment or percent-encoding)";
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<SpiffeId> SpiffeId::Parse(std::string_view uri) {
  if (uri.size() > kMaxLength) {
    return Invalid(uri, absl::StrCat("longer than ", kMaxLength, " bytes"));
  }
  if (!absl::StartsWithIgnoreCase(uri, kScheme)) {
    return Invalid(uri, "must start with spiffe://");
  }
  const std::string_view rest = uri.substr(kScheme.size());
  const size_t authority_end = std::min(rest.find('/'), rest.size());
  const std::string trust_domain =
      absl::AsciiStrToLower(rest.substr(0, authority_end));
  const std::string_view path = rest.substr(authority_end);
  if (absl::Status status = ValidateTrustDomain(trust_domain); !status.ok()) {
    return Invalid(uri, status.message());
  }
  if (std::string_view rule = BrokenPathRule(path); !rule.empty()) {
    return Invalid(uri, rule);
  }
  SpiffeId id;
  id.uri_ = absl::StrCat(kScheme, trust_domain, path);
  id.path_offset_ = kScheme.size() + trust_domain.size();
  return id;
}

absl::StatusOr<SpiffeId> SpiffeId::FromPath(std::string_view trust_domain,
                                            std::string_view path) {
  if (absl::Status status = ValidateTrustDomain(trust_domain); !status.ok()) {
    return status;
  }
  return Parse(absl::StrCat(kScheme, trust_domain, "/", path));
}

std::string_view SpiffeId::trust_domain() const {
  if (empty()) {
    return "";
  }
  return std::string_view(uri_).substr(kScheme.size(),
                                       path_offset_ - kScheme.size());
}

std::string_view SpiffeId::path() const {
  if (empty()) {  // also a moved-from ID, whose offset is stale
    return "";
  }
  return std::string_view(uri_).substr(path_offset_);
}

absl::Status ValidateTrustDomain(std::string_view trust_domain) {
  if (trust_domain.empty()) {
    return absl::InvalidArgumentError("trust domain is empty");
  }
  if (trust_domain.size() > SpiffeId::kMaxTrustDomainLength) {
    return absl::InvalidArgumentError(
        absl::StrCat("trust domain is longer than ",
                     SpiffeId::kMaxTrustDomainLength,
                     " bytes"));
  }
  if (!std::all_of(
          trust_domain.begin(), trust_domain.end(), IsTrustDomainChar)) {
    return absl::InvalidArgumentError(
        "trust domain may have a-z, 0-9, '.', '-' and '_' only (no user, port, "
        "query, fragment or percent-encoding)");
  }
  return absl::OkStatus();
}

}  // namespace kith
