// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"

#include "agent/acceptor.h"
#include "agent/agent_stages.h"
#include "agent/agent_view.h"
#include "agent/create_datapath.h"
#include "agent/identity/embedded_ca.h"
#include "agent/identity/sha256.h"
#include "agent/runtime/log.h"
#include "agent/runtime/sd_notify.h"
#include "agent/stop_signals.h"
#include "agent/wanted.h"
#include "agent/workload.h"
#include "agent/workload_api_source.h"

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

// Each flow needs two descriptors, and core dumps must not hold keys.
void PrepareProcess() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
  }
  (void)prctl(PR_SET_DUMPABLE, 0);
  (void)std::signal(SIGPIPE, SIG_IGN);
}

absl::Status StartIdentity(AgentStages &stages) {
  const Config &config = stages.config;
  auto issuer = CreateEmbeddedCa(config.embedded_ca_dir, config.trust_domain);
  if (!issuer.ok()) {
    return issuer.status();
  }
  SvidStore::Options options;
  options.on_bundle = [&stages] {
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

// Datapath::Create attaches nothing; what touches the host's flows comes last,
// when nothing else can fail.
absl::Status Start(AgentStages &stages,
                   Acceptors &acceptors,
                   std::unique_ptr<AdminServer> &admin,
                   AgentView &view) {
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
  if (auto started = StartIdentity(stages); !started.ok()) {
    return started;
  }
  StartAttestor(stages);
  if (auto created = CreateDatapath(stages, acceptors); !created.ok()) {
    return created;
  }
  if (auto started = StartResources(stages); !started.ok()) {
    return started;
  }
  ApplyResources(stages, *stages.resources->current());
  if (!stages.svids->WaitUntilAttempted(kFirstSvidsWait)) {
    Log(LogLevel::kWarning,
        "some SVIDs are not issued yet: their flows are refused");
  }
  auto server = AdminServer::Create(
      {.socket_path = config.runtime_dir + "/admin.sock",
       .group = config.admin_group,
       .on_audit =
           [](const std::string &line) {
             Log(LogLevel::kInfo, "audit", {{"change", line}});
           }},
      &view);
  if (!server.ok()) {
    return server.status();
  }
  admin = *std::move(server);
  if (auto listening =
          stages.workload_api->Listen(config.runtime_dir + "/workload.sock");
      !listening.ok()) {
    return listening;
  }
  stages.loops.Start();
  if (auto started = stages.datapath->Start(); !started.ok()) {
    return started;
  }
  if (auto watch = stages.datapath->outer_watch(); !watch.ok()) {
    Log(LogLevel::kWarning,
        "outer sockets are not watched",
        {{"error", watch.message()}});
  }
  SeedVerdicts(stages);
  stages.svid_files->Start();
  return absl::OkStatus();
}

// Steering ends before the listeners do, so that no process is left steered to
// a dead port. Open flows are reset: the application sees an error, never an
// orderly end.
void Stop(AgentStages &stages, Acceptors &acceptors, bool running) {
  stages.svid_files->Stop();
  if (running) {
    stages.datapath->Detach();
    acceptors.Close();
    (void)stages.flows->AbortWhere([](const FlowRecord &) { return true; },
                                   CloseReason::kAgentStopped);
    stages.loops.Drain();
  }
  stages.workload_api->Stop();
  stages.attest_pool.join();
  stages.loops.Stop();
}

// Handshakes leave holes in the heap that outlive them by hours: where flows
// were opened, free pages go back to the kernel.
int RunUntilStopped(const FlowTable &flows, const StopSignals &signals) {
  constexpr std::chrono::seconds kTrimPeriod{1};
  uint64_t opened = 0;
  for (;;) {
    if (const auto signal = signals.WaitFor(kTrimPeriod)) {
      return *signal;
    }
    if (const uint64_t now = flows.totals().opened; now != opened) {
      opened = now;
      (void)malloc_trim(0);
    }
  }
}

absl::StatusOr<std::string> ResolveCgroup(const Config &config) {
  if (config.cgroup == "auto") {
    return FindCgroupRoot();
  }
  return config.cgroup;
}

}  // namespace

absl::Status RunAgent(const Config &config) {
  StartLogging(config.log_format, config.log_level);
  PrepareProcess();
  const StopSignals signals;
  auto cgroup = ResolveCgroup(config);
  if (!cgroup.ok()) {
    return cgroup.status();
  }
  AgentStages stages(config, std::thread::hardware_concurrency());
  stages.cgroup = *cgroup;
  stages.generation_base = static_cast<uint64_t>(
      stages.started_at.time_since_epoch() / std::chrono::microseconds(1));
  CreateWorkloadApi(stages);
  stages.svid_files = SvidFiles::Create(&stages);
  stages.trace = TraceHub::Create();
  stages.flows = FlowTable::Create(stages.trace.get());
  Acceptors acceptors(&stages);
  const auto view = CreateAgentView(&stages);
  std::unique_ptr<AdminServer> admin;
  absl::Status started = Start(stages, acceptors, admin, *view);
  if (started.ok()) {
    Log(LogLevel::kInfo, "capturing flows", {{"cgroup", stages.cgroup}});
    (void)NotifyReady("capturing flows of " + stages.cgroup);
    const char *const signal =
        strsignal(RunUntilStopped(*stages.flows, signals));
    Log(LogLevel::kInfo, "stopping", {{"signal", signal}});
    (void)NotifyStopping("stopping");
  }
  admin.reset();
  Stop(stages, acceptors, started.ok());
  return started;
}

}  // namespace kith
