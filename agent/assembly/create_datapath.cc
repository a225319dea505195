// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/assembly/steps.h"
#include "agent/direct/direct_rows.h"
#include "agent/flow/alarm.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

void SetOptions(const AgentStages &stages, Datapath::Options &options) {
  options.cgroup = stages.cgroup;
  options.pin = stages.config.pin;
  options.bypass = stages.config.bypass;
  options.gives_grants = stages.config.same_node == SameNodeChoice::kDirect;
  if (stages.checkpoints != nullptr) {
    options.keep_flows = true;
    options.stored_outbound = stages.checkpoints->FoundOutbound();
  }
}

void SetCallbacks(AgentStages &stages, Datapath::Options &options) {
  options.on_netns_added = [&stages](NetnsListeners listeners) {
    Log(LogLevel::kInfo,
        "listening in a network namespace",
        {{"netns", listeners.name}});
    stages.acceptors->Add(std::move(listeners));
  };
  options.on_netns_removed = [&stages](uint64_t netns_cookie) {
    stages.acceptors->Remove(netns_cookie);
  };
  options.on_process_changed = [&stages](uint32_t tgid) {
    stages.attestor->Forget(tgid);
  };
  options.on_not_tls = [&stages](uint64_t flow) {
    RaiseNotTlsAlarm(*stages.flows, flow);
  };
  options.on_direct_changed = [&stages](uint64_t cookie) {
    if (stages.same_node != nullptr) {
      stages.same_node->Changed(cookie);
    }
  };
  options.on_direct_left = [&stages](const DirectFlow &flow,
                                     const DirectBytes &bytes) {
    RecordUnknown(
        *stages.flows, flow, bytes, "flows inside this node are encrypted");
  };
  options.on_error = [](const absl::Status &status) {
    Log(LogLevel::kError, "datapath degraded", {{"error", status.message()}});
  };
}

}  // namespace

absl::Status CreateDatapath(AgentStages &stages,
                            std::optional<Datapath::Import> import) {
  struct stat cgroup {};
  if (stat(stages.cgroup.c_str(), &cgroup) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cgroup ", stages.cgroup));
  }
  Datapath::Options options;
  SetOptions(stages, options);
  SetCallbacks(stages, options);
  options.state_name = absl::StrCat("cgroup-", cgroup.st_ino);
  options.import = std::move(import);
  auto datapath = Datapath::Create(std::move(options));
  if (!datapath.ok()) {
    return datapath.status();
  }
  stages.datapath = *std::move(datapath);
  return absl::OkStatus();
}

}  // namespace kith
