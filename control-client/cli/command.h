// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "absl/status/status.h"

#include "agent/admin/json_text.h"
#include "control-client/cli/cli.h"
#include "control-client/cli/command_parser.h"
#include "control-client/cli/exit_code.h"

namespace kith {

// CommandEnvironment is what a command may touch besides the agent.
struct CommandEnvironment {
  const CliParts &parts;
  std::ostream &out;
  std::ostream &err;
  bool colour = false;
};

// RunCommand does the work and returns the exit code.
using RunCommand = std::function<int(CommandEnvironment &)>;

// Command is one row of the table in cli.cc.
struct Command {
  const char *name;
  const char *description;
  // Adds the command's options to its parser and returns what runs it.
  RunCommand (*attach)(CommandParser &parser);
};

RunCommand AttachAgent(CommandParser &parser);
RunCommand AttachStatus(CommandParser &parser);
RunCommand AttachIdentities(CommandParser &parser);
RunCommand AttachFlows(CommandParser &parser);
RunCommand AttachTrace(CommandParser &parser);
RunCommand AttachExplain(CommandParser &parser);
RunCommand AttachDoctor(CommandParser &parser);
RunCommand AttachPolicy(CommandParser &parser);
RunCommand AttachSvid(CommandParser &parser);
RunCommand AttachCa(CommandParser &parser);
RunCommand AttachCaCopies(CommandParser &ca);  // `kith ca backup`, `restore`
RunCommand AttachJwt(CommandParser &parser);
// `kith jwt keys`, `rotate`, `revoke`.
RunCommand AttachJwtKeys(CommandParser &jwt);
RunCommand AttachLogLevel(CommandParser &parser);
RunCommand AttachVersion(CommandParser &parser);

// ClientOptions are the options of every command that asks the agent.
struct ClientOptions {
  std::string socket = "/run/kith/admin.sock";
  bool json = false;
};

void AddSocketOption(CommandParser &parser, ClientOptions &options);
void AddJsonOption(CommandParser &parser,
                   bool &json,
                   const char *description = "print one JSON document");
void AddClientOptions(CommandParser &parser, ClientOptions &options);  // both

// PrintJson writes one document, indented.
void PrintJson(std::ostream &out, const Json &json);

// ReportError writes the sentence and returns the exit code: Unavailable is an
// agent that cannot be reached, anything else its negative answer.
int ReportError(CommandEnvironment &environment, const absl::Status &error);

}  // namespace kith
