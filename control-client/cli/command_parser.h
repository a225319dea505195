// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace kith {

enum class NumberRange { kAny, kPositive, kNotNegative };

// OptionRules is what is asked of the value of an option.
struct OptionRules {
  const char *value_name = nullptr;  // in the help; without one, its type
  bool required = false;
  bool show_default = false;          // in the help
  const char *environment = nullptr;  // variable that stands in for the option
  NumberRange range = NumberRange::kAny;
  std::vector<std::string> one_of;  // empty: anything
};

// CommandParser reads the arguments of a command. CLI11 does the work, and is
// included by command_parser.cc alone: it costs whoever includes it some 8 s of
// compiling.
//
// A copy is the same parser. The variables that values go to outlive Parse().
class CommandParser {
 public:
  CommandParser(const std::string &name, const std::string &description);

  // AddSubcommand returns the parser of one. Where there are some, a command
  // line names exactly one of them.
  CommandParser AddSubcommand(const std::string &name,
                              const std::string &description);

  // AddOption adds `--name VALUE`, or the next positional argument where the
  // name has no dashes. What `value` has before is the default. Value is
  // std::string, std::vector<std::string>, uint32_t or int64_t.
  template <typename Value>
  void AddOption(const std::string &name,
                 Value &value,
                 const std::string &description,
                 const OptionRules &rules = {});

  // AddFlag adds `--name`, which makes `value` true.
  void AddFlag(const std::string &name,
               bool &value,
               const std::string &description);

  // Parse fills the variables and returns nothing, or writes the help that was
  // asked for, or what is wrong, and returns the exit code.
  std::optional<int> Parse(int argc,
                           const char *const *argv,
                           std::ostream &out,
                           std::ostream &err);

  // Subcommand names the one that the command line named; empty without one.
  std::string Subcommand() const;

 private:
  explicit CommandParser(std::shared_ptr<CLI::App> app);

  std::shared_ptr<CLI::App> app_;
};

}  // namespace kith
