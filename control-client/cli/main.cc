// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <utility>

#include "agent/agent.h"
#include "agent/assembly/doctor_rows.h"
#include "agent/datapath/features.h"
#include "agent/flow/outer_path.h"
#include "control-client/cli/cli.h"

namespace {

kith::PathProbe ProbePath() {
  auto path = kith::FindOuterPath(kith::DatapathChoice::kAuto);
  if (!path.ok()) {
    return {.name = "none",
            .reason = std::string(path.status().message()),
            .features = {kith::SameNodeRow(), kith::FlowStoreRow()}};
  }
  auto rows = kith::PathRows(path->proof);
  rows.push_back(kith::SameNodeRow());
  rows.push_back(kith::FlowStoreRow());
  return {
      .name = path->name, .reason = path->reason, .features = std::move(rows)};
}

}  // namespace

int main(int argc, char **argv) {
  const kith::CliParts parts{.run_agent = kith::RunAgent,
                             .probe_features = kith::ProbeFeatures,
                             .probe_path = ProbePath};
  return kith::RunCli(argc, argv, parts, std::cout, std::cerr);
}
