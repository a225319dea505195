// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/admin/json_text.h"
#include "control-client/cli/cli.h"
#include "test/unit/admin/admin_fixture.h"

namespace kith {

// CliRun is what one command line printed and returned.
struct CliRun {
  int code = -1;
  std::string out;
  std::string err;

  Json json() const { return ParseJson(out); }
};

// CliFixture runs command lines against a fake agent.
class CliFixture : public AdminFixture {
 public:
  std::vector<Feature> features;
  absl::Status agent_result;
  std::vector<Config> agent_runs;
  std::string probed_cgroup;

  // Run runs `kith arguments...`.
  CliRun Run(std::vector<std::string> arguments) {
    std::ostringstream out;
    std::ostringstream err;
    CliRun run;
    run.code = RunTo(std::move(arguments), out, err);
    run.out = out.str();
    run.err = err.str();
    return run;
  }

  // Ask runs `kith arguments... --socket SOCKET`.
  CliRun Ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--socket", socket});
    return Run(std::move(arguments));
  }

  int RunTo(std::vector<std::string> arguments,
            std::ostream &out,
            std::ostream &err) {
    std::vector<const char *> argv = {"kith"};
    for (const std::string &argument : arguments) {
      argv.push_back(argument.c_str());
    }
    const CliParts parts{.run_agent =
                             [this](const Config &config) {
                               agent_runs.push_back(config);
                               return agent_result;
                             },
                         .probe_features =
                             [this](const std::string &cgroup) {
                               probed_cgroup = cgroup;
                               return features;
                             },
                         .probe_path =
                             [] {
                               return PathProbe{.name = "userspace",
                                                .reason = "no tls module",
                                                .features = {}};
                             }};
    return RunCli(static_cast<int>(argv.size()), argv.data(), parts, out, err);
  }
};

}  // namespace kith
