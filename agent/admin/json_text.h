// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace kith {

// Json keeps its members in the order in which they were written, so that the
// documents of the admin API read as they are documented.
using Json = nlohmann::ordered_json;

// DumpJson writes one line. Bytes that are no UTF-8 (an application may have
// any in its arguments) become U+FFFD.
std::string DumpJson(const Json &json);

// ParseJson returns the document, or a discarded one (is_discarded()) if `text`
// is not JSON.
Json ParseJson(const std::string &text);

// TextOf returns the member, or an empty text if there is no such text.
std::string TextOf(const Json &json, const char *name);

// Rfc3339 returns UTC with milliseconds: "2026-11-22T20:34:02.125Z".
std::string Rfc3339(std::chrono::system_clock::time_point at);

// SinceBoot converts nanoseconds of CLOCK_BOOTTIME, the kernel's unit of a
// process's start, to wall time. Equal arguments give equal results during the
// life of this process, even if the clock is set.
std::chrono::system_clock::time_point SinceBoot(uint64_t nanoseconds);

}  // namespace kith
