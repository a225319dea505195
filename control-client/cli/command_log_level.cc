// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/json_fields.h"

namespace kith {
namespace {

struct LogLevelOptions : ClientOptions {
  std::string level;
};

int RunLogLevel(const LogLevelOptions &options,
                CommandEnvironment &environment) {
  const auto answer = AdminClient::Create(options.socket)
                          ->Put("/v1/log-level", {{"level", options.level}});
  if (!answer.ok()) {
    return ReportError(environment, answer.status());
  }
  if (options.json) {
    PrintJson(environment.out, *answer);
  } else {
    environment.out << "log level: " << TextAt(*answer, "/level") << '\n';
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachLogLevel(CLI::App &parser) {
  auto options = std::make_shared<LogLevelOptions>();
  AddClientOptions(parser, *options);
  parser.add_option("level", options->level, "debug, info, warning or error")
      ->required()
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->type_name("LEVEL");
  return [options](CommandEnvironment &environment) {
    return RunLogLevel(*options, environment);
  };
}

}  // namespace kith
