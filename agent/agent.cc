// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "agent/assembly/agent_view.h"
#include "agent/assembly/start.h"
#include "agent/runtime/log.h"
#include "agent/runtime/sd_notify.h"
#include "agent/runtime/stop_signals.h"
#include "agent/workloadapi/agent_source.h"

namespace kith {
namespace {

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

// Threads that tell of changes end before those whom they tell are gone. Any
// stage may not have come to be.
void StopTelling(AgentStages &stages) {
  if (stages.ca_watch != nullptr) {
    stages.ca_watch->Stop();
  }
  if (stages.resources != nullptr) {
    stages.resources->Stop();
  }
  if (stages.federation != nullptr) {
    stages.federation->Stop();
  }
  if (stages.svids != nullptr) {
    stages.svids->Stop();
  }
  stages.datapath.reset();  // it tells the acceptors, too
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
  if (stages.same_node != nullptr) {
    stages.same_node->Stop();
  }
  stages.workload_api->Stop();
  stages.attest_pool.join();
  stages.loops.Stop();
  StopTelling(stages);
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
  auto passed = TakeListenDescriptors();
  StartLogging(config.log_format, config.log_level);
  PrepareProcess();
  const StopSignals signals;
  auto cgroup = ResolveCgroup(config);
  if (!cgroup.ok()) {
    return cgroup.status();
  }
  AgentStages stages(config, std::thread::hardware_concurrency());
  stages.cgroup = *cgroup;
  stages.passed = std::move(passed);
  stages.generation_base = static_cast<uint64_t>(
      stages.started_at.time_since_epoch() / std::chrono::microseconds(1));
  CreateWorkloadApi(stages);
  stages.svid_files = SvidFiles::Create(&stages);
  stages.trace = TraceHub::Create();
  stages.flows = FlowTable::Create(stages.trace.get());
  Acceptors acceptors(&stages);
  const auto view = CreateAgentView(&stages);
  ControlEndpoints endpoints;
  absl::Status started = StartStages(stages, acceptors, *view, endpoints);
  if (started.ok()) {
    Log(LogLevel::kInfo, "capturing flows", {{"cgroup", stages.cgroup}});
    (void)NotifyReady("capturing flows of " + stages.cgroup);
    const char *const signal =
        strsignal(RunUntilStopped(*stages.flows, signals));
    Log(LogLevel::kInfo, "stopping", {{"signal", signal}});
    (void)NotifyStopping("stopping");
  }
  endpoints.Close();
  if (!started.ok() && stages.flow_store != nullptr) {
    stages.flow_store->Leave();  // to the next attempt
  }
  Stop(stages, acceptors, started.ok());
  return started;
}

}  // namespace kith
