// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/command_parser.h"

#include <cstdint>
#include <utility>

#include <CLI/CLI.hpp>

#include "control-client/cli/exit_code.h"

namespace kith {
namespace {

void CheckRange(NumberRange range, CLI::Option &option) {
  switch (range) {
    case NumberRange::kAny:
      break;
    case NumberRange::kPositive:
      option.check(CLI::PositiveNumber);
      break;
    case NumberRange::kNotNegative:
      option.check(CLI::NonNegativeNumber);
      break;
  }
}

void Apply(const OptionRules &rules, CLI::Option &option) {
  option.required(rules.required);
  if (rules.value_name != nullptr) {
    option.type_name(rules.value_name);
  }
  if (rules.show_default) {
    option.capture_default_str();
  }
  if (rules.environment != nullptr) {
    option.envname(rules.environment);
  }
  CheckRange(rules.range, option);
  if (!rules.one_of.empty()) {
    option.check(CLI::IsMember(rules.one_of));
  }
}

}  // namespace

CommandParser::CommandParser(const std::string &name,
                             const std::string &description)
    : app_(std::make_shared<CLI::App>(description, name)) {}

CommandParser::CommandParser(std::shared_ptr<CLI::App> app)
    : app_(std::move(app)) {}

CommandParser CommandParser::AddSubcommand(const std::string &name,
                                           const std::string &description) {
  CLI::App *added = app_->add_subcommand(name, description);
  app_->require_subcommand(1);
  return CommandParser(app_->get_subcommand_ptr(added));
}

template <typename Value>
void CommandParser::AddOption(const std::string &name,
                              Value &value,
                              const std::string &description,
                              const OptionRules &rules) {
  Apply(rules, *app_->add_option(name, value, description));
}

template void CommandParser::AddOption(const std::string &,
                                       std::string &,
                                       const std::string &,
                                       const OptionRules &);
template void CommandParser::AddOption(const std::string &,
                                       std::vector<std::string> &,
                                       const std::string &,
                                       const OptionRules &);
template void CommandParser::AddOption(const std::string &,
                                       uint32_t &,
                                       const std::string &,
                                       const OptionRules &);
template void CommandParser::AddOption(const std::string &,
                                       int64_t &,
                                       const std::string &,
                                       const OptionRules &);

void CommandParser::AddFlag(const std::string &name,
                            bool &value,
                            const std::string &description) {
  app_->add_flag(name, value, description);
}

std::optional<int> CommandParser::Parse(int argc,
                                        const char *const *argv,
                                        std::ostream &out,
                                        std::ostream &err) {
  try {
    app_->parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0) {  // a request for help comes as an error
      return app_->exit(error, out, err);
    }
    err << "kith: " << error.what()
        << "\nRun `kith --help` or `kith COMMAND --help`.\n";
    return kExitUsage;
  }
}

std::string CommandParser::Subcommand() const {
  const auto named = app_->get_subcommands();
  return named.empty() ? "" : named.front()->get_name();
}

}  // namespace kith
