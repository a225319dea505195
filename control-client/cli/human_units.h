// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kith {

// HumanBytes returns "0 B", "999 B", "1.2 kB", "3.4 GB": powers of 1000, as
// link rates are given.
std::string HumanBytes(uint64_t bytes);

// HumanCount returns digits in groups of three: "1,234,567".
std::string HumanCount(uint64_t count);

// HumanMicros returns "87 us", "1.25 ms", "3.20 s".
std::string HumanMicros(int64_t micros);

// HumanDuration returns the two largest units: "42s", "3m 07s", "5h 12m",
// "9d 04h".
std::string HumanDuration(std::chrono::seconds duration);

// HumanTime returns an RFC 3339 time as seen from `now`: "in 42m 10s",
// "3s ago"; other text unchanged.
std::string HumanTime(const std::string &rfc3339,
                      std::chrono::system_clock::time_point now);

}  // namespace kith
