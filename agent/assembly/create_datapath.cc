// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/create_datapath.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

#include "agent/checkpoint/checkpointed_flow.h"
#include "agent/direct/direct_rows.h"
#include "agent/flow/alarm.h"
#include "agent/runtime/log.h"

namespace kith {

absl::Status CreateDatapath(AgentStages &stages,
                            Acceptors &acceptors,
                            HotRestartChild *take_over) {
  struct stat cgroup {};
  if (stat(stages.cgroup.c_str(), &cgroup) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cgroup ", stages.cgroup));
  }
  Datapath::Options options;
  options.cgroup = stages.cgroup;
  options.state_name = absl::StrCat("cgroup-", cgroup.st_ino);
  options.pin = stages.config.pin;
  options.bypass = stages.config.bypass;
  options.gives_grants = stages.config.same_node == SameNodeChoice::kSockmap;
  options.on_netns_added = [&acceptors](NetnsListeners listeners) {
    Log(LogLevel::kInfo,
        "listening in a network namespace",
        {{"netns", listeners.name}});
    acceptors.Add(std::move(listeners));
  };
  options.on_netns_removed = [&acceptors](uint64_t netns_cookie) {
    acceptors.Remove(netns_cookie);
  };
  options.on_process_changed = [&stages](uint32_t tgid) {
    stages.attestor->Forget(tgid);
  };
  options.on_not_tls = [&stages](uint64_t flow) {
    RaiseNotTlsAlarm(stages, flow);
  };
  options.on_direct_changed = [&stages](uint64_t cookie) {
    if (stages.same_node != nullptr) {
      stages.same_node->Changed(cookie);
    }
  };
  options.on_direct_left = [&stages](const direct_flow &flow,
                                     const DirectBytes &bytes) {
    RecordUnknown(stages, flow, bytes, "flows inside this node are encrypted");
  };
  options.on_error = [](const absl::Status &status) {
    Log(LogLevel::kError, "datapath degraded", {{"error", status.message()}});
  };
  options.keep_flows = stages.flow_store != nullptr;
  options.stored_outbound = StoredOutbound(stages);
  if (take_over != nullptr) {
    options.import = take_over->TakeImport();
  }
  auto datapath = Datapath::Create(std::move(options));
  if (!datapath.ok()) {
    return datapath.status();
  }
  stages.datapath = *std::move(datapath);
  stages.same_node = SameNode::Create(&stages);
  return absl::OkStatus();
}

}  // namespace kith
