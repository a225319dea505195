// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/agent_view.h"

#include <unistd.h>

#include <algorithm>

#include "agent/policy/identity_match.h"
#include "agent/policy/untouched.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

class StagesView : public AgentView {
 public:
  explicit StagesView(AgentStages *stages) : stages_(stages) {}

  Status GetStatus() const override {
    const auto resources = stages_->resources->current();
    Status status;
    status.version = KITH_VERSION;
    status.pid = static_cast<uint32_t>(getpid());
    status.started_at = stages_->started_at;
    status.trust_domain = stages_->config.trust_domain;
    status.cgroup = stages_->cgroup;
    status.issuer = stages_->svids->issuer_description();
    status.path = stages_->outer_path.name;
    status.path_reason = stages_->outer_path.reason;
    status.pinned = stages_->config.pin;
    PutFlowStore(status);
    status.outer_watch = stages_->datapath->outer_watch();
    status.identities = resources->identities.size();
    status.services = resources->services.size();
    status.resources_error =
        std::string(stages_->resources->status().last_error.message());
    status.open_flows = stages_->flows->open_count();
    status.totals = stages_->flows->totals();
    status.counters = stages_->datapath->Counters();
    status.namespaces = stages_->datapath->Namespaces();
    status.federation = stages_->federation->List();
    status.attested_processes = stages_->attestor->cached_count();
    return status;
  }

  std::vector<IdentityRow> GetIdentities() const override {
    const auto resources = stages_->resources->current();
    const std::vector<SvidState> svids = stages_->svids->List();
    std::vector<IdentityRow> rows;
    for (const auto &identity : resources->identities) {
      const auto svid =
          std::find_if(svids.begin(), svids.end(), [&](const SvidState &state) {
            return state.spec.id == identity->spiffe_id;
          });
      rows.push_back({identity, svid == svids.end() ? SvidState{} : *svid});
    }
    return rows;
  }

  absl::StatusOr<Explanation> Explain(uint32_t pid) override {
    auto process = AttestNow(pid);
    for (int i = 1; i < kMostExecs && absl::IsAborted(process.status()); ++i) {
      process = AttestNow(pid);
    }
    if (!process.ok()) {
      return process.status();
    }
    const auto resources = stages_->resources->current();
    Explanation explanation;
    explanation.process = *std::move(process);
    const Attestation &attestation = explanation.process->attestation;
    explanation.choice = ChooseIdentity(*resources, attestation, 0);
    explanation.may_be_workload = MayBeWorkload(*resources, attestation);
    explanation.untouched = FindUntouched(*resources, attestation);
    explanation.in_managed_cgroup = IsManaged(pid);
    explanation.verdicts = ExplainMatch(*resources, attestation);
    return explanation;
  }

  FlowTable &flows() override { return *stages_->flows; }
  TraceHub &trace() override { return *stages_->trace; }

  absl::Status SetLogLevel(const std::string &level) override {
    auto parsed = ParseLogLevel(level);
    if (!parsed.ok()) {
      return parsed.status();
    }
    kith::SetLogLevel(*parsed);
    return absl::OkStatus();
  }

 private:
  void PutFlowStore(Status &status) const {
    status.flow_store = "none";
    if (!stages_->flow_store_state.ok()) {
      status.flow_store = "refused";
      status.flow_store_error =
          std::string(stages_->flow_store_state.message());
    } else if (stages_->checkpoints != nullptr) {
      status.flow_store = "systemd";
      status.kept_flows = stages_->checkpoints->kept();
    }
  }

  // A process that does exec while it is looked at is looked at again.
  static constexpr int kMostExecs = 10;

  absl::StatusOr<std::shared_ptr<const AttestedProcess>> AttestNow(
      uint32_t pid) {
    auto found = stages_->datapath->FindProcess(pid);
    if (!found.ok()) {
      return found.status();
    }
    return stages_->attestor->Attest(
        found->process, found->image, WorkloadAttestor::Expect::kSameImage);
  }

  bool IsManaged(uint32_t pid) {
    auto managed = stages_->datapath->ListProcesses();
    return managed.ok() && std::any_of(managed->begin(),
                                       managed->end(),
                                       [pid](const LiveProcess &live) {
                                         return live.process.tgid == pid;
                                       });
  }

  AgentStages *const stages_;
};

}  // namespace

std::unique_ptr<AgentView> CreateAgentView(AgentStages *stages) {
  return std::make_unique<StagesView>(stages);
}

}  // namespace kith
