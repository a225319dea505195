// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/config/web_config.h"
#include "agent/runtime/log_level.h"
#include "kith/bypass_rule.h"

namespace kith {

enum class UnknownProcess { kHold };
enum class DatapathChoice { kAuto, kKtls, kUserspace };
enum class SameNodeChoice { kTls, kDirect };
enum class FlowStoreChoice { kNone, kSystemd };

// Config is kith.yaml with its defaults (docs/configuration.md).
// Keys that this version cannot honour (a metrics.listen address) are errors.
struct Config {
  std::string trust_domain = "example.org";
  std::string state_dir = "/var/lib/kith";
  std::string runtime_dir = "/run/kith";
  std::string cgroup = "auto";
  std::vector<std::string> resources = {"/etc/kith/resources.d"};
  std::string embedded_ca_dir;  // default <state_dir>/ca
  std::chrono::seconds svid_ttl{3600};
  // svid.files: documents may ask for files with SVIDs below this directory.
  std::string svid_files;  // default <runtime_dir>/svids
  DatapathChoice path = DatapathChoice::kAuto;
  // datapath.sameNode: the path between allowed workloads of this node.
  SameNodeChoice same_node = SameNodeChoice::kTls;
  UnknownProcess unknown_process = UnknownProcess::kHold;
  std::vector<BypassRule> bypass;
  // datapath.pin: keep the BPF links in bpffs, so that captured flows fail
  // closed while no agent runs.
  bool pin = false;
  // datapath.flowStore: who keeps open flows while no agent runs.
  FlowStoreChoice flow_store = FlowStoreChoice::kNone;
  // `kith agent --takeover`, not in the file: take over the flows of the
  // running agent.
  bool takeover = false;
  FederationConfig federation;
  OidcConfig oidc;
  std::string admin_group = "kith";
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kJson;
  // Deprecated forms in the file.
  std::vector<std::string> warnings;
};

// ParseConfig reads YAML text. An unknown key, a wrong type or value is
// InvalidArgument with `name`, line and path of the key ("datapath.bypass[1]").
absl::StatusOr<Config> ParseConfig(std::string_view text,
                                   std::string_view name);

// LoadConfig reads the file; a missing file is NotFound.
absl::StatusOr<Config> LoadConfig(const std::string &path);

}  // namespace kith
