// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/json_text.h"

#include <time.h>

#include "absl/time/time.h"
#include <nlohmann/json.hpp>

namespace kith {
namespace {

using std::chrono::system_clock;

system_clock::time_point BootTime() {
  timespec since_boot{};
  (void)clock_gettime(CLOCK_BOOTTIME, &since_boot);  // cannot fail: valid clock
  return system_clock::now() - std::chrono::seconds(since_boot.tv_sec) -
         std::chrono::nanoseconds(since_boot.tv_nsec);
}

}  // namespace

std::string DumpJson(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ParseJson(const std::string &text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string TextOf(const Json &json, const char *name) {
  return json.is_object() && json.contains(name) && json[name].is_string()
             ? json[name].get<std::string>()
             : std::string();
}

std::string Rfc3339(system_clock::time_point at) {
  return absl::FormatTime(
      "%Y-%m-%dT%H:%M:%E3SZ", absl::FromChrono(at), absl::UTCTimeZone());
}

system_clock::time_point SinceBoot(uint64_t nanoseconds) {
  static const system_clock::time_point boot = BootTime();
  return boot + std::chrono::nanoseconds(nanoseconds);
}

}  // namespace kith
