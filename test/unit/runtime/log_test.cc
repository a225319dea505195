// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "absl/log/log.h"
#include "absl/strings/match.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

// Captured returns what `run` writes to standard error.
template <typename Run>
std::string Captured(Run run) {
  FileDescriptor saved(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  FileDescriptor reader(ends[0]);
  FileDescriptor writer(ends[1]);
  REQUIRE(::dup2(writer.get(), STDERR_FILENO) >= 0);
  run();
  REQUIRE(::dup2(saved.get(), STDERR_FILENO) >= 0);
  writer.Reset();
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(reader.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, n);
  }
  return text;
}

TEST_CASE("a JSON line has the message and its fields") {
  const std::string line = FormatLogLine(
      LogFormat::kJson,
      LogLevel::kInfo,
      "2026-11-22T20:00:00.000001Z",
      "flow closed",
      {{"flow", 12}, {"identity", "spiffe://a/b"}, {"captured", true}});
  CHECK(line ==
        R"({"time":"2026-11-22T20:00:00.000001Z","level":"info",)"
        R"("message":"flow closed","flow":12,"identity":"spiffe://a/b",)"
        R"("captured":true})"
        "\n");
}

TEST_CASE("hostile text cannot forge a line") {
  const std::string evil = "a\nlevel=error \xff\" b";
  for (LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    const std::string line =
        FormatLogLine(format, LogLevel::kInfo, "t", evil, {{"peer", evil}});
    CHECK(line.find('\n') == line.size() - 1);
  }
  const std::string line = FormatLogLine(
      LogFormat::kJson, LogLevel::kInfo, "t", evil, {{"peer", evil}});
  CHECK_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded());
}

TEST_CASE("text lines quote only what needs it") {
  CHECK(FormatLogLine(LogFormat::kText,
                      LogLevel::kWarning,
                      "t",
                      "peer refused",
                      {{"flow", 3}, {"why", "no id"}, {"ok", false}}) ==
        "t WARNING peer refused flow=3 why=\"no id\" ok=false\n");
}

TEST_CASE("texts are cut") {
  const std::string line = FormatLogLine(
      LogFormat::kText, LogLevel::kInfo, "t", std::string(100'000, 'x'), {});
  CHECK(line.size() < 10'000);
}

TEST_CASE("both ways of logging end on standard error, by level") {
  StartLogging(LogFormat::kJson, LogLevel::kInfo);
  const std::string info = Captured([] {
    LOG(INFO) << "from a macro";
    VLOG(1) << "hidden macro";
    Log(LogLevel::kDebug, "hidden call");
    Log(LogLevel::kError, "from a call", {{"flow", 1}});
  });
  CHECK(absl::StrContains(info, "from a macro"));
  CHECK(absl::StrContains(info, "\"flow\":1"));
  CHECK_FALSE(absl::StrContains(info, "hidden"));

  SetLogLevel(LogLevel::kDebug);
  CHECK(absl::StrContains(Captured([] { VLOG(1) << "verbose"; }),
                          "\"level\":\"debug\""));
  SetLogLevel(LogLevel::kError);
  CHECK(Captured([] {
          LOG(WARNING) << "dropped";
          Log(LogLevel::kWarning, "dropped");
        }).empty());
}

TEST_CASE("levels have names") {
  for (std::string_view name : {"debug", "info", "warning", "error"}) {
    auto level = ParseLogLevel(name);
    REQUIRE(level.ok());
    CHECK(LogLevelName(*level) == name);
  }
  CHECK(ParseLogLevel("loud").status().code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kith
