// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc/grpc_headers.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace kith {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

// What each field counts beyond its bytes (RFC 9113 section 6.5.2).
constexpr size_t kFieldOverhead = 32;

std::optional<Nanoseconds> UnitOf(char unit) {
  switch (unit) {
    case 'H':
      return std::chrono::hours(1);
    case 'M':
      return std::chrono::minutes(1);
    case 'S':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::milliseconds(1);
    case 'u':
      return std::chrono::microseconds(1);
    case 'n':
      return Nanoseconds(1);
    default:
      return std::nullopt;
  }
}

absl::Status SetOnce(std::string_view name,
                     std::string_view value,
                     std::string &field) {
  if (!field.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("more than one ", name));
  }
  field = value;
  return absl::OkStatus();
}

}  // namespace

absl::Status GrpcHeaders::Add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + kFieldOverhead;
  if (bytes_ > kMaxBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the headers have more than ", kMaxBytes, " bytes"));
  }
  if (name == ":method") {
    return SetOnce(name, value, method_);
  }
  if (name == ":path") {
    return SetOnce(name, value, path_);
  }
  if (!absl::StartsWith(name, ":")) {
    std::string &joined = metadata_[std::string(name)];
    absl::StrAppend(&joined, joined.empty() ? "" : ",", value);
  }
  return absl::OkStatus();
}

int GrpcHeaders::HttpStatus() const {
  constexpr std::string_view kType = "application/grpc";
  if (method_ != "POST") {
    return 405;
  }
  const std::string_view type = Metadata("content-type").value_or("");
  const bool is_grpc = absl::StartsWith(type, kType) &&
                       (type.size() == kType.size() ||
                        type[kType.size()] == '+' || type[kType.size()] == ';');
  return is_grpc ? 200 : 415;
}

std::optional<std::string_view> GrpcHeaders::Metadata(
    std::string_view name) const {
  const auto found = metadata_.find(name);
  return found == metadata_.end()
             ? std::nullopt
             : std::optional<std::string_view>(found->second);
}

absl::StatusOr<std::optional<Nanoseconds>> GrpcHeaders::Timeout() const {
  constexpr size_t kMaxDigits = 8;
  const auto text = Metadata("grpc-timeout");
  if (!text.has_value()) {
    return std::nullopt;
  }
  const std::string_view digits = text->substr(0, text->size() - 1);
  int64_t number = 0;
  const auto unit = text->empty() ? std::nullopt : UnitOf(text->back());
  if (!unit.has_value() || digits.empty() || digits.size() > kMaxDigits ||
      !std::ranges::all_of(digits, absl::ascii_isdigit) ||
      !absl::SimpleAtoi(digits, &number)) {
    return absl::InvalidArgumentError(
        absl::StrCat("grpc-timeout '", *text, "' is no time"));
  }
  // A century acts like any longer time, and does not overflow.
  constexpr Nanoseconds kLongest = std::chrono::hours(24 * 365 * 100);
  return number > kLongest / *unit ? kLongest : number * *unit;
}

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const unsigned char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded.push_back(static_cast<char>(c));
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", c);
    }
  }
  return encoded;
}

}  // namespace kith
