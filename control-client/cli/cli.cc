// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/cli.h"

#include <iostream>
#include <map>
#include <string>

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

using Attached = std::map<std::string, RunCommand>;  // by name

Attached AttachAll(CommandParser &parser) {
  Attached attached;
  for (const Command &command : kCommands) {
    CommandParser sub = parser.AddSubcommand(command.name, command.description);
    attached.emplace(command.name, command.attach(sub));
  }
  return attached;
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
  CommandParser parser(
      "kith",
      "kith gives processes SPIFFE identities and their TCP flows "
      "mutual TLS");
  const Attached commands = AttachAll(parser);
  if (const auto ended = parser.Parse(argc, argv, out, err)) {
    return *ended;
  }
  return commands.at(parser.Subcommand())(environment);
}

}  // namespace kith
