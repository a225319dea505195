// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/let_go.h"

#include "agent/policy/untouched.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

ProcessVerdict VerdictOf(const Untouched &untouched) {
  if (untouched.outbound && untouched.inbound) {
    return ProcessVerdict::kNotWorkload;
  }
  if (untouched.outbound) {
    return ProcessVerdict::kLeaveOutbound;
  }
  return untouched.inbound ? ProcessVerdict::kLeaveInbound
                           : ProcessVerdict::kWorkload;
}

// A process whose present flow is not left alone has no direction in which all
// flows are: most flows need no further check.
Untouched UntouchedOf(const Workload &workload) {
  if (!workload.identity.ok()) {
    return {};
  }
  const auto &identity = *workload.identity;
  if (identity != nullptr && identity->mode != TlsMode::kDisable) {
    return {};
  }
  return FindUntouched(*workload.resources, workload.process->attestation);
}

void Trace(LiveFlow &flow, const char *what) {
  flow.Update([](FlowRecord &) {}, "let_go", what);
}

void LogFailure(const ProcessFacts &process, const absl::Status &status) {
  if (!status.ok()) {
    // An owner that is changing is checked again with the next connection.
    Log(absl::IsAborted(status) ? LogLevel::kDebug : LogLevel::kWarning,
        "verdict not remembered",
        {{"pid", process.tgid}, {"error", status.message()}});
  }
}

}  // namespace

void LetConnectsGo(FlowContext &context,
                   LiveFlow &flow,
                   const FlowOrigin &origin,
                   const Workload &workload,
                   bool untouched) {
  const uint64_t generation = context.PolicyGeneration(*workload.resources);
  const Untouched all = UntouchedOf(workload);
  absl::Status set = context.capture.SetProcessVerdict(
      origin.process, VerdictOf(all), generation);
  if (untouched && !all.outbound) {
    set.Update(context.capture.LeaveDestinationAlone(
        origin.process, origin.netns_cookie, origin.destination, generation));
  }
  LogFailure(origin.process, set);
  if (set.ok() && untouched) {
    Trace(flow,
          all.outbound ? "every next connection of the process"
                       : "its next connections to this destination");
  }
}

// The owner was attested in its current state: its other flows are known.
void LetListenerGo(FlowContext &context,
                   LiveFlow &flow,
                   uint64_t netns_cookie,
                   const Endpoint &listener,
                   const Workload &workload) {
  const uint64_t generation = context.PolicyGeneration(*workload.resources);
  const ProcessFacts &owner = workload.process->facts;
  absl::Status set = context.capture.SetListenerVerdict(
      netns_cookie, listener, ProcessVerdict::kLeaveInbound, generation);
  if (set.ok()) {
    Trace(flow, "every next connection to this listener");
  }
  set.Update(context.capture.SetProcessVerdict(
      owner, VerdictOf(UntouchedOf(workload)), generation));
  LogFailure(owner, set);
}

void LetOldProcessesGo(HostFacts &host,
                       WorkloadAttestor &attestor,
                       Capture &capture,
                       const ResourceSet &resources,
                       uint64_t generation) {
  auto processes = host.ListProcesses();
  if (!processes.ok()) {
    // Not fatal: each of them is held once instead.
    Log(LogLevel::kWarning,
        "no verdicts for existing processes",
        {{"error", processes.status().message()}});
    return;
  }
  for (const auto &[facts, image, netns] : *processes) {
    auto process =
        attestor.Attest(facts, image, WorkloadAttestor::Expect::kSameImage);
    // A process that is gone or did exec needs no verdict.
    const Untouched untouched =
        process.ok() ? FindUntouched(resources, (*process)->attestation)
                     : Untouched();
    if (untouched != Untouched()) {
      LogFailure(
          facts,
          capture.SetProcessVerdict(facts, VerdictOf(untouched), generation));
    }
  }
}

}  // namespace kith
