// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include <CLI/CLI.hpp>

#include "agent/admin/json_text.h"
#include "control-client/cli/cli.h"
#include "control-client/cli/exit_code.h"

namespace kith {

// CommandEnvironment is what a command may use besides the agent.
struct CommandEnvironment {
  const CliParts &parts;
  std::ostream &out;
  std::ostream &err;
  bool colour = false;
};

// RunCommand runs the command and returns the exit code.
using RunCommand = std::function<int(CommandEnvironment &)>;

// Command is one row of the table in cli.cc.
struct Command {
  const char *name;
  const char *description;
  // Adds the command's options to its parser and returns its RunCommand.
  RunCommand (*attach)(CLI::App &parser);
};

RunCommand AttachAgent(CLI::App &parser);
RunCommand AttachStatus(CLI::App &parser);
RunCommand AttachIdentities(CLI::App &parser);
RunCommand AttachFlows(CLI::App &parser);
RunCommand AttachTrace(CLI::App &parser);
RunCommand AttachExplain(CLI::App &parser);
RunCommand AttachDoctor(CLI::App &parser);
RunCommand AttachPolicy(CLI::App &parser);
RunCommand AttachSvid(CLI::App &parser);
RunCommand AttachCa(CLI::App &parser);
RunCommand AttachCaCopies(CLI::App &ca);  // `kith ca backup`, `restore`
RunCommand AttachJwt(CLI::App &parser);
RunCommand AttachJwtKeys(CLI::App &jwt);  // `kith jwt keys`, `rotate`, `revoke`
RunCommand AttachLogLevel(CLI::App &parser);
RunCommand AttachVersion(CLI::App &parser);

// ClientOptions are the options of every command that calls the agent.
struct ClientOptions {
  std::string socket = "/run/kith/admin.sock";
  bool json = false;
};

void AddJsonOption(CLI::App &parser, bool &json);
void AddClientOptions(CLI::App &parser, ClientOptions &options);

// PrintJson writes one document, indented.
void PrintJson(std::ostream &out, const Json &json);

// ReportError writes the sentence and returns the exit code: Unavailable means
// that no agent can be reached, any other error a negative answer.
int ReportError(CommandEnvironment &environment, const absl::Status &error);

}  // namespace kith
