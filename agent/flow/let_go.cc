// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/let_go.h"

#include "agent/policy/untouched.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

process_verdict VerdictOf(const Untouched &untouched) {
  if (untouched.outbound && untouched.inbound) {
    return PROCESS_VERDICT_NOT_WORKLOAD;
  }
  if (untouched.outbound) {
    return PROCESS_VERDICT_LEAVE_OUTBOUND;
  }
  return untouched.inbound ? PROCESS_VERDICT_LEAVE_INBOUND
                           : PROCESS_VERDICT_WORKLOAD;
}

// A process that is not left alone here has no direction in which it always is:
// most flows need no further look.
Untouched UntouchedOf(const Workload &workload) {
  const auto &identity = workload.choice.identity;
  if (identity != nullptr && identity->mode != TlsMode::kDisable) {
    return {};
  }
  return FindUntouched(*workload.resources, workload.process->attestation);
}

void Trace(LiveFlow &flow, const char *what) {
  flow.Update([](FlowRecord &) {}, "let_go", what);
}

void LogFailure(const process_facts &process, const absl::Status &status) {
  if (!status.ok()) {
    // An owner that is changing is looked at again with the next connection.
    Log(absl::IsAborted(status) ? LogLevel::kDebug : LogLevel::kWarning,
        "verdict not remembered",
        {{"pid", process.tgid}, {"error", status.message()}});
  }
}

}  // namespace

void LetConnectsGo(AgentStages &stages,
                   LiveFlow &flow,
                   const flow_origin &origin,
                   const Workload &workload,
                   bool untouched) {
  const uint64_t generation = stages.PolicyGeneration(*workload.resources);
  const Untouched all = UntouchedOf(workload);
  absl::Status set = stages.datapath->SetProcessVerdict(
      origin.process, VerdictOf(all), generation);
  if (untouched && !all.outbound) {
    set.Update(stages.datapath->LeaveDestinationAlone(
        origin.process,
        origin.netns_cookie,
        Endpoint::FromAbi(origin.destination),
        generation));
  }
  LogFailure(origin.process, set);
  if (set.ok() && untouched) {
    Trace(flow,
          all.outbound ? "every next connection of the process"
                       : "its next connections to this destination");
  }
}

// The owner was attested as it is now: its other flows are known as well.
void LetListenerGo(AgentStages &stages,
                   LiveFlow &flow,
                   uint64_t netns_cookie,
                   const Endpoint &listener,
                   const Workload &workload) {
  const uint64_t generation = stages.PolicyGeneration(*workload.resources);
  const process_facts &owner = workload.process->facts;
  absl::Status set = stages.datapath->SetListenerVerdict(
      netns_cookie, listener, PROCESS_VERDICT_LEAVE_INBOUND, generation);
  if (set.ok()) {
    Trace(flow, "every next connection to this listener");
  }
  set.Update(stages.datapath->SetProcessVerdict(
      owner, VerdictOf(UntouchedOf(workload)), generation));
  LogFailure(owner, set);
}

void LetOldProcessesGo(AgentStages &stages) {
  auto processes = stages.datapath->ListProcesses();
  if (!processes.ok()) {
    // Not fatal: they are held once each instead.
    Log(LogLevel::kWarning,
        "no verdicts for existing processes",
        {{"error", processes.status().message()}});
    return;
  }
  const auto resources = stages.resources->current();
  for (const auto &[facts, image, netns] : *processes) {
    auto process = stages.attestor->Attest(
        facts, image, WorkloadAttestor::Expect::kSameImage);
    // A process that is gone or did exec needs no verdict.
    const Untouched untouched =
        process.ok() ? FindUntouched(*resources, (*process)->attestation)
                     : Untouched();
    if (untouched != Untouched()) {
      LogFailure(facts,
                 stages.datapath->SetProcessVerdict(
                     facts,
                     VerdictOf(untouched),
                     stages.PolicyGeneration(*resources)));
    }
  }
}

}  // namespace kith
