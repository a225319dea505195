// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/command.h"

#include <nlohmann/json.hpp>

#include "control-client/cli/printable.h"

namespace kith {

void AddSocketOption(CommandParser &parser, ClientOptions &options) {
  parser.AddOption("--socket",
                   options.socket,
                   "admin socket of the agent",
                   {.value_name = "PATH",
                    .show_default = true,
                    .environment = "KITH_SOCKET"});
}

void AddJsonOption(CommandParser &parser, bool &json, const char *description) {
  parser.AddFlag("--json", json, description);
}

void AddClientOptions(CommandParser &parser, ClientOptions &options) {
  AddSocketOption(parser, options);
  AddJsonOption(parser, options.json);
}

void PrintJson(std::ostream &out, const Json &json) {
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

int ReportError(CommandEnvironment &environment, const absl::Status &error) {
  environment.err << "kith: " << Printable(error.message()) << '\n';
  return absl::IsUnavailable(error) ? kExitUnreachable : kExitNegative;
}

}  // namespace kith
