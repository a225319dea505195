// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/config/config.h"
#include "agent/runtime/stored_descriptors.h"

namespace kith {

// RunningAgent is an agent that captures flows, until its destruction.
class RunningAgent {
 public:
  // Start starts the stages in an order in which what touches the host's flows
  // comes last, when hardly anything can fail any more. With config.takeover,
  // the flows of the agent that runs are taken over. After an error nothing is
  // captured, or the other agent carries on. `cgroup` is the managed directory,
  // `passed` what the service manager has kept.
  static absl::StatusOr<std::unique_ptr<RunningAgent>> Start(
      const Config &config,
      std::string cgroup,
      std::vector<NamedDescriptor> passed);

  // The destructor ends the steering before the listeners, so that no process
  // is left steered to a dead port. Open flows are reset: the application sees
  // an error, never an orderly end.
  ~RunningAgent();
  RunningAgent(const RunningAgent &) = delete;
  RunningAgent &operator=(const RunningAgent &) = delete;

  // opened_flows returns how many flows were opened since the start.
  uint64_t opened_flows() const;

 private:
  struct Parts;
  explicit RunningAgent(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace kith
