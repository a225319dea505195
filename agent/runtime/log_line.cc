// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "agent/runtime/log.h"

namespace kith {
namespace {

// Longer texts are cut: journald splits lines near 48 KiB, and a peer may have
// chosen the text.
constexpr size_t kMaxText = 8'192;

std::string_view Cut(std::string_view text) {
  return text.substr(0, kMaxText);
}

std::string JsonLine(LogLevel level,
                     std::string_view time,
                     std::string_view message,
                     std::initializer_list<LogField> fields) {
  nlohmann::ordered_json line;
  line["time"] = time;
  line["level"] = LogLevelName(level);
  line["message"] = Cut(message);
  for (const LogField &field : fields) {
    auto &member = line[std::string(field.key)];
    if (const auto *text = std::get_if<std::string_view>(&field.value)) {
      member = Cut(*text);
    } else if (const auto *number = std::get_if<int64_t>(&field.value)) {
      member = *number;
    } else {
      member = std::get<bool>(field.value);
    }
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

// Quoted returns a value for a text line: with quotes only if its end would be
// ambiguous without them.
std::string Quoted(std::string_view text) {
  std::string escaped = absl::CHexEscape(Cut(text));
  const bool plain = escaped == text && !text.empty() &&
                     text.find_first_of(" =") == std::string_view::npos;
  return plain ? escaped : absl::StrCat("\"", escaped, "\"");
}

std::string TextLine(LogLevel level,
                     std::string_view time,
                     std::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string line = absl::StrCat(time,
                                  " ",
                                  absl::AsciiStrToUpper(LogLevelName(level)),
                                  " ",
                                  absl::Utf8SafeCHexEscape(Cut(message)));
  for (const LogField &field : fields) {
    absl::StrAppend(&line, " ", field.key, "=");
    if (const auto *text = std::get_if<std::string_view>(&field.value)) {
      absl::StrAppend(&line, Quoted(*text));
    } else if (const auto *number = std::get_if<int64_t>(&field.value)) {
      absl::StrAppend(&line, *number);
    } else {
      absl::StrAppend(&line, std::get<bool>(field.value) ? "true" : "false");
    }
  }
  return line + "\n";
}

}  // namespace

std::string FormatLogLine(LogFormat format,
                          LogLevel level,
                          std::string_view time,
                          std::string_view message,
                          std::initializer_list<LogField> fields) {
  return format == LogFormat::kJson ? JsonLine(level, time, message, fields)
                                    : TextLine(level, time, message, fields);
}

}  // namespace kith
