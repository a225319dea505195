// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/command.h"

#include <nlohmann/json.hpp>

#include "control-client/cli/printable.h"

namespace kith {

void AddJsonOption(CLI::App &parser, bool &json) {
  parser.add_flag("--json", json, "print one JSON document");
}

void AddClientOptions(CLI::App &parser, ClientOptions &options) {
  parser.add_option("--socket", options.socket, "admin socket of the agent")
      ->envname("KITH_SOCKET")
      ->capture_default_str()
      ->type_name("PATH");
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
