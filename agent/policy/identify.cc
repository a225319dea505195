// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/identify.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/runtime/run_on.h"

namespace kith {
namespace {

using AttestResult = absl::StatusOr<std::shared_ptr<const AttestedProcess>>;

Task<AttestResult> Attest(AgentStages &stages,
                          const process_facts &facts,
                          const process_image &image,
                          WorkloadAttestor::Expect expect) {
  if (auto cached = stages.attestor->Cached(facts, expect)) {
    co_return cached;
  }
  co_return co_await RunOn<AttestResult>(
      stages.attest_pool, [&stages, facts, image, expect] {
        return stages.attestor->Attest(facts, image, expect);
      });
}

absl::StatusOr<Workload> Choose(AgentStages &stages,
                                std::shared_ptr<const AttestedProcess> process,
                                uint16_t destination_port) {
  Workload workload;
  workload.process = std::move(process);
  workload.resources = stages.resources->current();
  const Attestation &attestation = workload.process->attestation;
  workload.choice =
      ChooseIdentity(*workload.resources, attestation, destination_port);
  if (!workload.choice.undetermined.empty()) {
    return absl::UnavailableError(absl::StrCat(
        "an attestor failed, so that it cannot be known whether this is ",
        absl::StrJoin(workload.choice.undetermined, " or "),
        ": see kith explain ",
        workload.process->facts.tgid));
  }
  return workload;
}

}  // namespace

Task<absl::StatusOr<Workload>> IdentifyWorkload(AgentStages &stages,
                                                const process_facts &facts,
                                                const process_image &image,
                                                WorkloadAttestor::Expect expect,
                                                uint16_t destination_port) {
  auto process = co_await Attest(stages, facts, image, expect);
  if (!process.ok()) {
    co_return process.status();
  }
  co_return Choose(stages, *std::move(process), destination_port);
}

Task<absl::StatusOr<Workload>> IdentifyListener(AgentStages &stages,
                                                uint64_t netns_cookie,
                                                Endpoint local) {
  auto listener = stages.datapath->FindListener(netns_cookie, local);
  if (!listener.ok()) {
    co_return listener.status();
  }
  auto workload =
      co_await IdentifyWorkload(stages,
                                listener->process,
                                listener->image,
                                WorkloadAttestor::Expect::kSameProcess,
                                local.port);
  if (!absl::IsNotFound(workload.status()) &&
      !absl::IsAborted(workload.status())) {
    co_return workload;
  }
  // Whoever called listen() is gone: a child may hold the socket now.
  listener = stages.datapath->ResolveListener(netns_cookie, local);
  if (!listener.ok()) {
    co_return listener.status();
  }
  co_return co_await IdentifyWorkload(stages,
                                      listener->process,
                                      listener->image,
                                      WorkloadAttestor::Expect::kSameProcess,
                                      local.port);
}

}  // namespace kith
