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

RunCommand AttachLogLevel(CommandParser &parser) {
  auto options = std::make_shared<LogLevelOptions>();
  AddClientOptions(parser, *options);
  parser.AddOption("level",
                   options->level,
                   "debug, info, warning or error",
                   {.value_name = "LEVEL",
                    .required = true,
                    .one_of = {"debug", "info", "warning", "error"}});
  return [options](CommandEnvironment &environment) {
    return RunLogLevel(*options, environment);
  };
}

}  // namespace kith
