// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/start.h"

#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include "agent/admin/admin_api.h"
#include "agent/assembly/agent_stages.h"
#include "agent/assembly/agent_view.h"
#include "agent/assembly/ca_view.h"
#include "agent/assembly/steps.h"
#include "agent/flow/let_go.h"
#include "agent/flow/resumed_flow.h"
#include "agent/hotrestart/child.h"
#include "agent/hotrestart/parent.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

// ControlEndpoints are the sockets at which the agent is asked, beside the
// Workload API.
struct ControlEndpoints {
  std::unique_ptr<AgentView> view;
  std::unique_ptr<CaView> ca;
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<HotRestartParent> parent;

  void Close() {
    parent.reset();
    admin.reset();
    ca.reset();
    view.reset();
  }
};

void Resume(AgentStages &stages, StreamCheckpoint flow) {
  ResumeFlow(*stages.flow_context, stages.loops.Next(), std::move(flow));
}

HotRestartParent::Parts PartsOf(AgentStages &stages) {
  return {
      .cgroup = stages.cgroup,
      .flows = *stages.flows,
      .exported = stages.exported,
      .export_hooks = [&stages] { return stages.datapath->Export(); },
      .rollback_hooks =
          [&stages](bool lost) { return stages.datapath->Rollback(lost); },
      .export_direct =
          [&stages](bool exported) {
            if (stages.same_node != nullptr) {
              exported ? stages.same_node->Export()
                       : stages.same_node->Rollback();
            }
          },
      .resume =
          [&stages](StreamCheckpoint flow) { Resume(stages, std::move(flow)); },
      .stop_accepting =
          [&stages] {
            stages.acceptors->Close();
            stages.loops.Drain();
          },
      .drain = [&stages] { stages.loops.Drain(); },
      .close_ports = [&stages] { stages.web->Close(); },
      .open_ports = [&stages] { return stages.web->Open(); },
      .done = [] { (void)kill(getpid(), SIGTERM); }};  // agent.cc waits for it
}

absl::Status OpenAdmin(AgentStages &stages,
                       ControlEndpoints &endpoints,
                       bool replace) {
  endpoints.ca = CreateCaView({.issuer = *stages.issuer,
                               .svids = *stages.svids,
                               .flows = *stages.flows,
                               .trust_domain = stages.config.trust_domain});
  endpoints.view = CreateAgentView(&stages);
  auto admin = AdminServer::Create(
      {.socket_path = stages.config.runtime_dir + "/admin.sock",
       .group = stages.config.admin_group,
       .on_audit =
           [](const std::string &line) {
             Log(LogLevel::kInfo, "audit", {{"change", line}});
           },
       .replace = replace,
       .ca = endpoints.ca.get()},
      endpoints.view.get());
  if (admin.ok()) {
    endpoints.admin = *std::move(admin);
  }
  return admin.status();
}

// Open binds the sockets at which the agent is asked.
absl::Status Open(AgentStages &stages,
                  ControlEndpoints &endpoints,
                  bool replace) {
  const std::string &directory = stages.config.runtime_dir;
  if (auto listening = stages.web->Open(); !listening.ok()) {
    return listening;
  }
  if (auto listening = OpenAdmin(stages, endpoints, replace); !listening.ok()) {
    return listening;
  }
  if (auto listening =
          stages.workload_api->Listen(directory + "/workload.sock", replace);
      !listening.ok()) {
    return listening;
  }
  auto parent = HotRestartParent::Start(
      HotRestartPath(directory), PartsOf(stages), replace);
  if (parent.ok()) {
    endpoints.parent = *std::move(parent);
  }
  return parent.status();
}

// New flows have other ids than those that others have opened.
void GiveFreshIds(AgentStages &stages, uint64_t last_of_parent) {
  if (last_of_parent > 0) {
    stages.flows->GiveIdsAbove(last_of_parent);
  }
  if (stages.checkpoints != nullptr &&
      stages.checkpoints->last_found_id() > 0) {
    stages.flows->GiveIdsAbove(stages.checkpoints->last_found_id());
  }
}

absl::Status Steer(AgentStages &stages) {
  stages.loops.Start();
  if (auto started = stages.datapath->Start(); !started.ok()) {
    return started;
  }
  if (auto watch = stages.datapath->outer_watch(); !watch.ok()) {
    Log(LogLevel::kWarning,
        "outer sockets are not watched",
        {{"error", watch.message()}});
  }
  if (stages.same_node != nullptr) {
    stages.same_node->Start();
  }
  const auto resources = stages.resources->current();
  LetOldProcessesGo(*stages.datapath,
                    *stages.attestor,
                    *stages.datapath,
                    *resources,
                    stages.flow_context->PolicyGeneration(*resources));
  return absl::OkStatus();
}

absl::Status StartAlone(AgentStages &stages, ControlEndpoints &endpoints) {
  if (auto opened = Open(stages, endpoints, false); !opened.ok()) {
    return opened;
  }
  GiveFreshIds(stages, 0);
  if (auto steering = Steer(stages); !steering.ok()) {
    return steering;
  }
  if (stages.checkpoints != nullptr) {
    stages.checkpoints->ResumeFound(*stages.flow_context, stages.loops);
  }
  return absl::OkStatus();
}

// The names of the sockets stay the parent's until it has nothing left to carry
// on. It ends when all is done here; after an error it carries on.
absl::Status Replace(AgentStages &stages,
                     HotRestartChild &child,
                     ControlEndpoints &endpoints) {
  GiveFreshIds(stages, child.last_flow_id());
  absl::Status done = child.BeginSwap();
  if (done.ok()) {
    done = Steer(stages);
  }
  if (done.ok()) {
    done = child.ReceiveFlows(
        [&stages](StreamCheckpoint flow) { Resume(stages, std::move(flow)); },
        [&stages] { stages.loops.Drain(); });
  }
  if (done.ok()) {
    done = Open(stages, endpoints, true);
  }
  if (!done.ok()) {
    stages.web->Close();  // before the parent binds its ports again
    return done;
  }
  return child.Finish();
}

absl::StatusOr<std::unique_ptr<HotRestartChild>> AskParent(
    const AgentStages &stages) {
  if (!stages.config.takeover) {
    return nullptr;
  }
  return HotRestartChild::Ask(HotRestartPath(stages.config.runtime_dir),
                              stages.cgroup);
}

absl::Status StartStages(AgentStages &stages, ControlEndpoints &endpoints) {
  if (auto prepared = PrepareStages(stages); !prepared.ok()) {
    return prepared;
  }
  auto child = AskParent(stages);
  if (!child.ok()) {
    return child.status();
  }
  std::optional<Datapath::Import> import;
  FileDescriptor parent;
  if (*child != nullptr) {
    import = (*child)->TakeImport();
    parent = (*child)->Parent();
  }
  PrepareFlowStore(stages, std::move(parent));
  if (auto created = CreateDatapath(stages, std::move(import)); !created.ok()) {
    return created;
  }
  CreateFlows(stages);
  SubscribeStages(stages);
  absl::Status started = PreparePolicy(stages);
  if (started.ok()) {
    started = *child == nullptr ? StartAlone(stages, endpoints)
                                : Replace(stages, **child, endpoints);
  }
  if (started.ok()) {
    stages.svid_files->Start();
  }
  return started;
}

// After a failed start (`running` is false) some stages have not come to be.
void StopStages(AgentStages &stages, bool running) {
  if (stages.svid_files != nullptr) {
    stages.svid_files->Stop();
  }
  if (running) {
    stages.datapath->Detach();
    stages.acceptors->Close();
    (void)stages.flows->AbortWhere([](const FlowRecord &) { return true; },
                                   CloseReason::kAgentStopped);
    stages.loops.Drain();
  } else if (stages.checkpoints != nullptr) {
    stages.checkpoints->Leave();  // to the next attempt
  }
  if (stages.same_node != nullptr) {
    stages.same_node->Stop();
  }
  if (stages.workload_api != nullptr) {
    stages.workload_api->Stop();
  }
  stages.attest_pool.join();
  stages.loops.Stop();
  StopChanges(stages);
}

}  // namespace

struct RunningAgent::Parts {
  explicit Parts(const Config &config)
      : stages(config, std::thread::hardware_concurrency()) {}

  AgentStages stages;
  ControlEndpoints endpoints;
};

RunningAgent::RunningAgent(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<RunningAgent>> RunningAgent::Start(
    const Config &config,
    std::string cgroup,
    std::vector<NamedDescriptor> passed) {
  auto parts = std::make_unique<Parts>(config);
  parts->stages.cgroup = std::move(cgroup);
  parts->stages.passed = std::move(passed);
  absl::Status started = StartStages(parts->stages, parts->endpoints);
  if (!started.ok()) {
    parts->endpoints.Close();
    StopStages(parts->stages, false);
    return started;
  }
  return std::unique_ptr<RunningAgent>(new RunningAgent(std::move(parts)));
}

RunningAgent::~RunningAgent() {
  parts_->endpoints.Close();
  StopStages(parts_->stages, true);
}

uint64_t RunningAgent::opened_flows() const {
  return parts_->stages.flows->totals().opened;
}

}  // namespace kith
