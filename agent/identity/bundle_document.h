// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "kith/issuer.h"

namespace kith {

// A bundle has a handful of keys of a few KiB each. A larger document is no
// bundle, or would slow every verification.
inline constexpr size_t kMaxBundleBytes = size_t{1} << 20;
inline constexpr size_t kMaxBundleKeys = 256;

// BundleDocument is a SPIFFE bundle (SPIFFE Trust Domain and Bundle, section
// 4).
struct BundleDocument {
  Authorities authorities;
  std::optional<int64_t> sequence;                   // spiffe_sequence
  std::optional<std::chrono::seconds> refresh_hint;  // spiffe_refresh_hint
};

// ParseBundleDocument reads the bundle of one trust domain, which the document
// does not name. It skips keys of an unknown type or use, as the standard
// requires; a malformed key of a known use makes the whole document
// InvalidArgument. TrustBundle checks that the certificates are authorities.
absl::StatusOr<BundleDocument> ParseBundleDocument(
    std::string_view text, const std::string &trust_domain);

// EncodeBundleDocument returns the JSON text.
absl::StatusOr<std::string> EncodeBundleDocument(const BundleDocument &bundle);

}  // namespace kith
