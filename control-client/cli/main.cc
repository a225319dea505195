// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "agent/agent.h"
#include "agent/datapath/datapath.h"
#include "control-client/cli/cli.h"

int main(int argc, char **argv) {
  const kith::CliParts parts{.run_agent = kith::RunAgent,
                             .probe_features = kith::ProbeFeatures};
  return kith::RunCli(argc, argv, parts, std::cout, std::cerr);
}
