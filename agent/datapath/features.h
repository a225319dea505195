// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kith {

// Feature is one row of `kith doctor`.
struct Feature {
  std::string name;    // "BTF", "cgroup v2", "CAP_BPF", "sk_lookup", ...
  std::string needed;  // "required", or what is missing without it
  bool found = false;
  std::string detail;  // what was found, or how to get it
};

// CheckRequirements returns FailedPrecondition with the first requirement of
// the datapath that this machine lacks: BTF or a capability.
absl::Status CheckRequirements();

// ProbeFeatures examines this machine. It works without any privilege; rows
// then say what could not be determined.
std::vector<Feature> ProbeFeatures(const std::string &cgroup);

// FindCgroupRoot returns the directory where cgroup v2 is mounted.
absl::StatusOr<std::string> FindCgroupRoot();

}  // namespace kith
