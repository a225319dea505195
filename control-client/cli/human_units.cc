// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/human_units.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace kith {

std::string HumanBytes(uint64_t bytes) {
  constexpr std::array<const char *, 5> kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) {
    return absl::StrCat(bytes, " B");
  }
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  // 999.95 would be printed as 1000.0
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string HumanCount(uint64_t count) {
  const std::string digits = absl::StrCat(count);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) {
      grouped.push_back(',');
    }
    grouped.push_back(digits[i]);
  }
  return grouped;
}

std::string HumanMicros(int64_t micros) {
  if (micros < 1000) {
    return absl::StrCat(micros, " us");
  }
  if (micros < 1'000'000) {
    return absl::StrFormat("%.2f ms", static_cast<double>(micros) / 1e3);
  }
  return absl::StrFormat("%.2f s", static_cast<double>(micros) / 1e6);
}

std::string HumanDuration(std::chrono::seconds duration) {
  const int64_t seconds = duration.count();
  if (seconds < 60) {
    return absl::StrCat(seconds, "s");
  }
  if (seconds < 3600) {
    return absl::StrFormat("%dm %02ds", seconds / 60, seconds % 60);
  }
  if (seconds < 86400) {
    return absl::StrFormat("%dh %02dm", seconds / 3600, seconds / 60 % 60);
  }
  return absl::StrFormat("%dd %02dh", seconds / 86400, seconds / 3600 % 24);
}

std::string HumanTime(const std::string &rfc3339,
                      std::chrono::system_clock::time_point now) {
  absl::Time at;
  if (!absl::ParseTime(absl::RFC3339_full, rfc3339, &at, nullptr)) {
    return rfc3339;
  }
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(
      absl::ToChronoTime(at) - now);
  if (left.count() > 0) {
    return absl::StrCat("in ", HumanDuration(left));
  }
  return absl::StrCat(HumanDuration(-left), " ago");
}

}  // namespace kith
