// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/start.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"

#include "agent/assembly/apply_policy.h"
#include "agent/assembly/create_datapath.h"
#include "agent/checkpoint/checkpointed_flow.h"
#include "agent/federation/web_endpoints.h"
#include "agent/flow/let_go.h"
#include "agent/identity/sha256.h"
#include "agent/issuer/ca_directory_watch.h"
#include "agent/issuer/embedded_ca.h"
#include "agent/revocation/svid_revocation.h"
#include "agent/runtime/log.h"
#include "agent/workloadapi/agent_source.h"

namespace kith {
namespace {

// How long the start waits for the first SVIDs: flows of an identity without
// one are refused, so that a late issuer delays nobody else for long.
constexpr std::chrono::milliseconds kFirstSvidsWait{5'000};

absl::Status MakeDirectory(const std::string &path, mode_t mode) {
  std::error_code error;
  const bool created = std::filesystem::create_directories(path, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot create directory ", path, ": ", error.message()));
  }
  if (created && chmod(path.c_str(), mode) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod ", path));
  }
  return absl::OkStatus();
}

absl::Status StartIdentity(AgentStages &stages) {
  const Config &config = stages.config;
  auto issuer = CreateEmbeddedCa(config.embedded_ca_dir, config.trust_domain);
  if (!issuer.ok()) {
    return issuer.status();
  }
  SvidStore::Options options;
  options.jwt_issuer = config.oidc.issuer;
  stages.issuer = *issuer;
  options.on_bundle = [&stages](const TrustBundle &bundle) {
    EndRevokedFlows(stages, bundle);
    stages.workload_api->NotifyChanged();
    stages.svid_files->Notify();
  };
  options.on_attempt = [&stages](const SvidState &state) {
    stages.workload_api->NotifyRenewed(state.spec.id);
    stages.svid_files->Notify();
    if (!state.last_error.ok()) {
      Log(LogLevel::kError,
          "no new SVID",
          {{"identity", state.spec.id.uri()},
           {"error", state.last_error.message()}});
    } else {
      Log(LogLevel::kInfo,
          "new SVID",
          {{"identity", state.spec.id.uri()},
           {"serial", state.svid->serial()}});
    }
  };
  auto svids = SvidStore::Create(*std::move(issuer), std::move(options));
  if (!svids.ok()) {
    return svids.status();
  }
  stages.svids = *std::move(svids);
  auto watch = CaDirectoryWatch::Create(
      config.embedded_ca_dir, [&stages] { (void)stages.svids->Refresh(); });
  if (!watch.ok()) {
    return watch.status();
  }
  stages.ca_watch = *std::move(watch);
  return absl::OkStatus();
}

absl::Status StartResources(AgentStages &stages) {
  auto on_load = [&stages](const auto &set) {
    if (!set.ok()) {
      Log(LogLevel::kError,
          "resources not loaded: the last good ones stay in force",
          {{"error", set.status().message()}});
      return;
    }
    ApplyResources(stages, **set);
  };
  auto resources = ResourceStore::Create(
      stages.config.resources, stages.config.trust_domain, on_load);
  if (!resources.ok()) {
    return resources.status();
  }
  stages.resources = *std::move(resources);
  return absl::OkStatus();
}

void StartAttestor(AgentStages &stages) {
  WorkloadAttestor::Options options;
  options.exec_id_of = [&stages](const process_facts &process) {
    return stages.datapath->ExecIdOf(process);
  };
  options.sha256_of = [](int fd) { return Sha256OfFile(fd); };
  options.wants_binary_hash = [&stages] {
    return WantsBinaryHash(*stages.resources->current());
  };
  stages.attestor = WorkloadAttestor::Create(std::move(options));
}

// What can fail without touching anything of the host.
absl::Status Prepare(AgentStages &stages) {
  const Config &config = stages.config;
  for (const std::string &directory : {config.state_dir, config.runtime_dir}) {
    if (auto made = MakeDirectory(directory, 0755); !made.ok()) {
      return made;
    }
  }
  auto outer_path = FindOuterPath(config.path);
  if (!outer_path.ok()) {
    return outer_path.status();
  }
  stages.outer_path = *std::move(outer_path);
  Log(LogLevel::kInfo,
      "path of outer sockets",
      {{"path", stages.outer_path.name}, {"reason", stages.outer_path.reason}});
  absl::Status started = StartIdentity(stages);
  if (started.ok()) {
    started = StartFederation(stages);
  }
  if (started.ok()) {
    StartAttestor(stages);
  }
  return started;
}

absl::Status PreparePolicy(AgentStages &stages) {
  if (auto started = StartResources(stages); !started.ok()) {
    return started;
  }
  ApplyResources(stages, *stages.resources->current());
  if (!stages.svids->WaitUntilAttempted(kFirstSvidsWait)) {
    Log(LogLevel::kWarning,
        "some SVIDs are not issued yet: their flows are refused");
  }
  return absl::OkStatus();
}

// Open binds the sockets at which the agent is asked.
absl::Status Open(AgentStages &stages,
                  Acceptors &acceptors,
                  AgentView &view,
                  ControlEndpoints &endpoints,
                  bool replace) {
  const Config &config = stages.config;
  if (auto listening = StartWebServers(stages); !listening.ok()) {
    return listening;
  }
  auto admin = AdminServer::Create(
      {.socket_path = config.runtime_dir + "/admin.sock",
       .group = config.admin_group,
       .on_audit =
           [](const std::string &line) {
             Log(LogLevel::kInfo, "audit", {{"change", line}});
           },
       .replace = replace,
       .ca = endpoints.ca.get()},
      &view);
  if (!admin.ok()) {
    return admin.status();
  }
  endpoints.admin = *std::move(admin);
  if (auto listening = stages.workload_api->Listen(
          config.runtime_dir + "/workload.sock", replace);
      !listening.ok()) {
    return listening;
  }
  auto hand_over = HotRestartParent::Start(stages, acceptors, replace);
  if (hand_over.ok()) {
    endpoints.hand_over = *std::move(hand_over);
  }
  return hand_over.status();
}

absl::Status Steer(AgentStages &stages, HotRestartChild *take_over) {
  if (take_over != nullptr) {
    stages.flows->GiveIdsAbove(take_over->last_flow_id());
    if (auto swap = take_over->BeginSwap(); !swap.ok()) {
      return swap;
    }
  }
  GiveIdsAboveFound(stages);
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
  LetOldProcessesGo(stages);
  return absl::OkStatus();
}

// The names of the sockets stay the other agent's until it has nothing left to
// carry on. It ends when all is done here; after an error it carries on.
absl::Status Replace(AgentStages &stages,
                     Acceptors &acceptors,
                     AgentView &view,
                     HotRestartChild &take_over,
                     ControlEndpoints &endpoints) {
  absl::Status done = Steer(stages, &take_over);
  if (done.ok()) {
    done = take_over.ReceiveFlows(stages);
  }
  if (done.ok()) {
    done = Open(stages, acceptors, view, endpoints, true);
  }
  return done.ok() ? take_over.Finish() : done;
}

}  // namespace

absl::Status StartStages(AgentStages &stages,
                         Acceptors &acceptors,
                         AgentView &view,
                         ControlEndpoints &endpoints) {
  if (auto prepared = Prepare(stages); !prepared.ok()) {
    return prepared;
  }
  absl::StatusOr<std::unique_ptr<HotRestartChild>> take_over = nullptr;
  if (stages.config.takeover) {
    take_over = HotRestartChild::Ask(stages.config, stages.cgroup);
  }
  if (!take_over.ok()) {
    return take_over.status();
  }
  PrepareFlowStore(
      stages,
      *take_over == nullptr ? FileDescriptor() : (*take_over)->Parent());
  if (auto created = CreateDatapath(stages, acceptors, take_over->get());
      !created.ok()) {
    return created;
  }
  if (auto prepared = PreparePolicy(stages); !prepared.ok()) {
    return prepared;
  }
  endpoints.ca = CreateCaView(&stages);
  absl::Status started;
  if (*take_over != nullptr) {
    started = Replace(stages, acceptors, view, **take_over, endpoints);
  } else if (started = Open(stages, acceptors, view, endpoints, false);
             started.ok()) {
    started = Steer(stages, nullptr);
    if (started.ok()) {
      AdoptFound(stages);
    }
  }
  if (started.ok()) {
    stages.svid_files->Start();
  }
  return started;
}

}  // namespace kith
