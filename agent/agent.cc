// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <utility>

#include "agent/assembly/start.h"
#include "agent/datapath/features.h"
#include "agent/runtime/log.h"
#include "agent/runtime/sd_notify.h"
#include "agent/runtime/stop_signals.h"

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

// Handshakes leave holes in the heap that outlive them by hours: after flows
// were opened, free pages are returned to the kernel.
int RunUntilStopped(const RunningAgent &agent, const StopSignals &signals) {
  constexpr std::chrono::seconds kTrimPeriod{1};
  uint64_t opened = 0;
  for (;;) {
    if (const auto signal = signals.WaitFor(kTrimPeriod)) {
      return *signal;
    }
    if (const uint64_t now = agent.opened_flows(); now != opened) {
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
  for (const std::string &warning : config.warnings) {
    Log(LogLevel::kWarning, "configuration", {{"warning", warning}});
  }
  PrepareProcess();
  const StopSignals signals;
  auto cgroup = ResolveCgroup(config);
  if (!cgroup.ok()) {
    return cgroup.status();
  }
  auto agent = RunningAgent::Start(config, *cgroup, std::move(passed));
  if (!agent.ok()) {
    return agent.status();
  }
  Log(LogLevel::kInfo, "capturing flows", {{"cgroup", *cgroup}});
  (void)NotifyReady("capturing flows of " + *cgroup);
  const char *const signal = strsignal(RunUntilStopped(**agent, signals));
  Log(LogLevel::kInfo, "stopping", {{"signal", signal}});
  (void)NotifyStopping("stopping");
  return absl::OkStatus();
}

}  // namespace kith
