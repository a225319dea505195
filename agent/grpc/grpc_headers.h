// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kith {

// GrpcHeaders are the request headers of a call (PROTOCOL-HTTP2.md of gRPC,
// "Requests"). It checks only the headers that are used: gRPC for Java and old
// ones for Go send the path of a Unix socket as `:authority`, which RFC 9113
// section 8.3.1 forbids and kith does not use.
class GrpcHeaders {
 public:
  // Bound of one call's headers, announced as SETTINGS_MAX_HEADER_LIST_SIZE and
  // counted the same way (RFC 9113 section 6.5.2).
  static constexpr size_t kMaxBytes = size_t{8} << 10;

  // Add returns ResourceExhausted if the bound is reached, InvalidArgument if
  // there are two methods or two paths.
  absl::Status Add(std::string_view name, std::string_view value);

  // HttpStatus returns 200, or the status for a request that is no gRPC call:
  // 405 for another method than POST, 415 for another content type.
  int HttpStatus() const;

  const std::string &path() const { return path_; }

  // Metadata returns the value of a header; nullopt: absent. Repeated headers
  // are joined by commas (RFC 9110 section 5.3).
  std::optional<std::string_view> Metadata(std::string_view name) const;

  // Timeout returns `grpc-timeout`; nullopt: absent. InvalidArgument: it is no
  // positive integer of at most 8 digits and a unit.
  absl::StatusOr<std::optional<std::chrono::nanoseconds>> Timeout() const;

 private:
  std::string method_;
  std::string path_;
  std::map<std::string, std::string, std::less<>> metadata_;
  size_t bytes_ = 0;
};

// PercentEncode returns a status message as the header grpc-message.
std::string PercentEncode(std::string_view text);

}  // namespace kith
