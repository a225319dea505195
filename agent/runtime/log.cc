// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/log.h"

#include <unistd.h>

#include <atomic>

#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace kith {
namespace {

std::atomic<LogFormat> log_format{LogFormat::kJson};
std::atomic<LogLevel> log_level{LogLevel::kInfo};

void WriteLine(LogLevel level,
               absl::Time time,
               std::string_view message,
               std::initializer_list<LogField> fields) {
  const std::string line = FormatLogLine(
      log_format.load(std::memory_order_relaxed),
      level,
      absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone()),
      message,
      fields);
  // One write, so that lines of several threads do not mix. A failure of
  // standard error cannot be reported anywhere.
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

LogLevel LevelOf(const absl::LogEntry &entry) {
  switch (entry.log_severity()) {
    case absl::LogSeverity::kInfo:
      return entry.verbosity() > 0 ? LogLevel::kDebug : LogLevel::kInfo;
    case absl::LogSeverity::kWarning:
      return LogLevel::kWarning;
    default:
      return LogLevel::kError;
  }
}

// StderrSink receives the output of absl's macros.
class StderrSink final : public absl::LogSink {
 public:
  void Send(const absl::LogEntry &entry) override {
    WriteLine(LevelOf(entry), entry.timestamp(), entry.text_message(), {});
  }
};

absl::LogSeverityAtLeast SeverityFor(LogLevel level) {
  switch (level) {
    case LogLevel::kWarning:
      return absl::LogSeverityAtLeast::kWarning;
    case LogLevel::kError:
      return absl::LogSeverityAtLeast::kError;
    default:
      return absl::LogSeverityAtLeast::kInfo;
  }
}

}  // namespace

void StartLogging(LogFormat format, LogLevel level) {
  log_format = format;
  SetLogLevel(level);
  static auto *sink = [] {
    absl::InitializeLog();
    absl::SetStderrThreshold(absl::LogSeverityAtLeast::kInfinity);
    auto *created = new StderrSink;
    absl::AddLogSink(created);
    return created;
  }();
  (void)sink;
}

void SetLogLevel(LogLevel level) {
  log_level = level;
  absl::SetMinLogLevel(SeverityFor(level));
  (void)absl::SetGlobalVLogLevel(level == LogLevel::kDebug ? 1 : 0);
}

LogLevel CurrentLogLevel() {
  return log_level.load(std::memory_order_relaxed);
}

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name) {
  for (LogLevel level : {LogLevel::kDebug,
                         LogLevel::kInfo,
                         LogLevel::kWarning,
                         LogLevel::kError}) {
    if (LogLevelName(level) == name) {
      return level;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "log level '", name, "' is none of debug, info, warning, error"));
}

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

void Log(LogLevel level,
         std::string_view message,
         std::initializer_list<LogField> fields) {
  if (level >= CurrentLogLevel()) {
    WriteLine(level, absl::Now(), message, fields);
  }
}

}  // namespace kith
