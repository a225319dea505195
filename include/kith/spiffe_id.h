// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kith {

// SpiffeId is a valid, normalised SPIFFE ID (SPIFFE-ID standard, sections 2 and
// 2.3): scheme and trust domain in lower case, path as given. A default
// SpiffeId is empty and equals no parsed one.
class SpiffeId {
 public:
  // Bounds of the SPIFFE-ID standard, section 2.3.
  static constexpr size_t kMaxLength = 2048;
  static constexpr size_t kMaxTrustDomainLength = 255;

  SpiffeId() = default;

  // Parse returns InvalidArgument with the name of the rule that `uri` breaks.
  static absl::StatusOr<SpiffeId> Parse(std::string_view uri);

  // FromPath joins a trust domain and a workload path without leading slash
  // ("demo/web/nginx"), the form of `workloadID` in resource documents.
  static absl::StatusOr<SpiffeId> FromPath(std::string_view trust_domain,
                                           std::string_view path);

  bool empty() const { return uri_.empty(); }
  const std::string &uri() const { return uri_; }
  std::string_view trust_domain() const;
  // path returns "" for a trust domain's own ID, else "/a/b".
  std::string_view path() const;

  bool operator==(const SpiffeId &) const = default;
  auto operator<=>(const SpiffeId &) const = default;

 private:
  std::string uri_;
  size_t path_offset_ = 0;
};

// ValidateTrustDomain returns OK for `[a-z0-9.-_]{1,255}`.
absl::Status ValidateTrustDomain(std::string_view trust_domain);

}  // namespace kith
