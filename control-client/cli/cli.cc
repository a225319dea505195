// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/cli.h"

#include <iostream>
#include <utility>

#include "control-client/cli/command.h"
#include "control-client/cli/terminal.h"

namespace kith {
namespace {

// Nouns read, verbs change or test. In the order of `kith --help`.
constexpr Command kCommands[] = {
    {"agent", "run the node agent", AttachAgent},
    {"status", "show the agent's state", AttachStatus},
    {"identities", "show the identities and their SVIDs", AttachIdentities},
    {"flows", "show the open flows, or the closed ones", AttachFlows},
    {"trace", "follow flows step by step as they happen", AttachTrace},
    {"explain", "show which identity a process has, and why", AttachExplain},
    {"doctor", "examine this machine for what kith needs", AttachDoctor},
    {"policy", "check resource documents", AttachPolicy},
    {"svid", "revoke SVIDs", AttachSvid},
    {"ca", "show and change the authorities of the embedded CA", AttachCa},
    {"jwt", "examine JWT-SVIDs, rotate their keys", AttachJwt},
    {"log-level", "change the agent's log level", AttachLogLevel},
    {"version", "show the version of this program", AttachVersion},
};

using Attached = std::vector<std::pair<CLI::App *, RunCommand>>;

Attached AttachAll(CLI::App &parser) {
  Attached attached;
  for (const Command &command : kCommands) {
    CLI::App *sub = parser.add_subcommand(command.name, command.description);
    attached.emplace_back(sub, command.attach(*sub));
  }
  parser.require_subcommand(1);
  return attached;
}

// CLI11 reports a request for help as an error too, with exit code 0.
int ReportParse(const CLI::App &parser,
                const CLI::ParseError &error,
                CommandEnvironment &environment) {
  if (error.get_exit_code() == 0) {
    return parser.exit(error, environment.out, environment.err);
  }
  environment.err << "kith: " << error.what()
                  << "\nRun `kith --help` or `kith COMMAND --help`.\n";
  return kExitUsage;
}

}  // namespace

int RunCli(int argc,
           const char *const *argv,
           const CliParts &parts,
           std::ostream &out,
           std::ostream &err) {
  CommandEnvironment environment{
      .parts = parts,
      .out = out,
      .err = err,
      .colour = &out == &std::cout && TerminalShowsColour(),
  };
  CLI::App parser(
      "kith gives processes SPIFFE identities and their TCP flows "
      "mutual TLS",
      "kith");
  const Attached commands = AttachAll(parser);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return ReportParse(parser, error, environment);
  }
  for (const auto &[sub, run] : commands) {
    if (sub->parsed()) {
      return run(environment);
    }
  }
  return kExitUsage;
}

}  // namespace kith
