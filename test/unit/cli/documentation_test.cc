// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include <catch2/catch_test_macros.hpp>

#include "test/unit/cli/cli_fixture.h"

// The manual page, the completion and the README are written by hand: this test
// keeps them complete.
namespace kith {
namespace {

std::string Read(const std::string &path) {
  std::ifstream file(absl::StrCat(KITH_SOURCE_DIR, "/", path));
  std::ostringstream text;
  text << file.rdbuf();
  REQUIRE(text.str().size() > 100);
  return text.str();
}

// Options returns the long options that a help text names.
std::vector<std::string> Options(const std::string &help) {
  std::vector<std::string> options;
  for (const auto word : absl::StrSplit(help, absl::ByAnyChar(" ,\n"))) {
    if (absl::StartsWith(word, "--") && word != "--help") {
      options.emplace_back(word);
    }
  }
  return options;
}

TEST_CASE("every command and option is documented and completed") {
  const std::vector<std::vector<std::string>> commands = {{"agent"},
                                                          {"status"},
                                                          {"identities"},
                                                          {"flows"},
                                                          {"trace"},
                                                          {"explain"},
                                                          {"doctor"},
                                                          {"policy", "lint"},
                                                          {"svid", "revoke"},
                                                          {"ca", "show"},
                                                          {"ca", "prepare"},
                                                          {"ca", "activate"},
                                                          {"ca", "taint"},
                                                          {"ca", "revoke"},
                                                          {"ca", "backup"},
                                                          {"ca", "restore"},
                                                          {"jwt", "doctor"},
                                                          {"log-level"},
                                                          {"version"}};
  CliFixture cli;
  for (const char *path : {"control-client/cli/README.md",
                           "deploy/man/kith.1",
                           "deploy/completions/kith"}) {
    CAPTURE(path);
    // groff writes a minus sign as \-.
    const std::string text =
        absl::StrReplaceAll(Read(path), {{"\\-", "-"}, {"\\:", ""}});
    for (std::vector<std::string> command : commands) {
      CAPTURE(command.back());
      CHECK(absl::StrContains(text, command.back()));
      command.push_back("--help");
      const CliRun help = cli.Run(command);
      REQUIRE(help.code == 0);
      for (const std::string &option : Options(help.out)) {
        CAPTURE(option);
        CHECK(absl::StrContains(text, option));
      }
    }
  }
}

}  // namespace
}  // namespace kith
