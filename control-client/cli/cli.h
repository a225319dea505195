// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "agent/config/config.h"
#include "agent/datapath/features.h"

namespace kith {

// PathProbe says how an agent started here would make the records of outer
// sockets: OuterPath's name and reason, and the rows of its proof.
struct PathProbe {
  std::string name;
  std::string reason;
  std::vector<Feature> features;
};

// CliParts are the agent's functions that commands run inside this process.
// main() passes the real ones.
struct CliParts {
  std::function<absl::Status(const Config &)> run_agent;
  std::function<std::vector<Feature>(const std::string &cgroup)> probe_features;
  std::function<PathProbe()> probe_path;
};

// RunCli runs one command line and returns its exit code (exit_code.h). Results
// go to `out`, errors as one sentence to `err`.
int RunCli(int argc,
           const char *const *argv,
           const CliParts &parts,
           std::ostream &out,
           std::ostream &err);

}  // namespace kith
