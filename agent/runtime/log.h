// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"

#include "agent/runtime/log_level.h"

namespace kith {

// LogField is a named fact of a log line, e.g. {"flow", 12}. It refers to its
// strings and lives as long as the call. Never pass secrets.
struct LogField {
  LogField(std::string_view name, std::string_view text)
      : key(name), value(text) {}
  LogField(std::string_view name, const char *text)
      : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const std::string &text)
      : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  template <std::integral T>
  LogField(std::string_view name, T number)
      : key(name), value(static_cast<int64_t>(number)) {}

  std::string_view key;
  std::variant<std::string_view, int64_t, bool> value;
};

// StartLogging sends everything that is logged, by Log or by absl's LOG and
// VLOG macros, to standard error as one line per event. Call it once, early.
// JSON lines are {"time","level","message", fields...}.
void StartLogging(LogFormat format, LogLevel level);

// SetLogLevel changes what is logged from now on. Thread-safe.
void SetLogLevel(LogLevel level);
LogLevel CurrentLogLevel();

// ParseLogLevel reads "debug", "info", "warning" or "error".
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name);
std::string_view LogLevelName(LogLevel level);

// Log writes one event if `level` is being logged. Thread-safe.
void Log(LogLevel level,
         std::string_view message,
         std::initializer_list<LogField> fields = {});

// FormatLogLine returns the line that Log writes, with its newline. Bytes that
// are no UTF-8 and control characters are escaped, so that hostile text cannot
// forge a line.
std::string FormatLogLine(LogFormat format,
                          LogLevel level,
                          std::string_view time,
                          std::string_view message,
                          std::initializer_list<LogField> fields);

}  // namespace kith
