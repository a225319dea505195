// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "agent/config/config.h"
#include "agent/policy/resource_store.h"
#include "control-client/cli/command.h"

namespace kith {
namespace {

struct AgentOptions {
  std::string config = "/etc/kith/kith.yaml";
  bool check_config = false;
  bool takeover = false;
};

int CheckConfig(const Config &config, CommandEnvironment &environment) {
  for (const std::string &warning : config.warnings) {
    environment.err << "warning: " << warning << '\n';
  }
  auto resources = LoadResources(config.resources, config.trust_domain);
  if (!resources.ok()) {
    return ReportError(environment, resources.status());
  }
  environment.out << "OK: trust domain " << config.trust_domain << ", "
                  << resources->identities.size() << " identities, "
                  << resources->services.size() << " services\n";
  return kExitOk;
}

int RunAgentCommand(const AgentOptions &options,
                    CommandEnvironment &environment) {
  auto config = LoadConfig(options.config);
  if (!config.ok()) {
    (void)ReportError(environment, config.status());
    return kExitNegative;
  }
  if (options.check_config) {
    return CheckConfig(*config, environment);
  }
  config->takeover = options.takeover;
  const absl::Status result = environment.parts.run_agent(*config);
  if (!result.ok()) {
    (void)ReportError(environment, result);
    return kExitNegative;
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachAgent(CommandParser &parser) {
  auto options = std::make_shared<AgentOptions>();
  parser.AddOption("--config",
                   options->config,
                   "configuration file",
                   {.value_name = "PATH", .show_default = true});
  parser.AddFlag("--check-config",
                 options->check_config,
                 "load configuration and resource documents, say OK or what "
                 "is wrong, and end");
  parser.AddFlag("--takeover",
                 options->takeover,
                 "take the open flows of the agent that runs now over, which "
                 "then ends; without one, start as usual");
  return [options](CommandEnvironment &environment) {
    return RunAgentCommand(*options, environment);
  };
}

}  // namespace kith
