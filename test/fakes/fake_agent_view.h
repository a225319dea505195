// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "agent/admin/admin_api.h"
#include "test/fakes/observed_trace_hub.h"

namespace kith {

// FakeAgentView answers what a test put into it. Flows and trace are the real
// ones.
class FakeAgentView : public AgentView {
 public:
  FakeAgentView();

  // Set these before the server starts.
  Status status;
  std::vector<IdentityRow> identities;
  std::map<uint32_t, Explanation> explanations;  // by pid

  std::string log_level() const;
  ObservedTraceHub &observed_trace() { return trace_; }

  Status GetStatus() const override { return status; }
  std::vector<IdentityRow> GetIdentities() const override { return identities; }
  absl::StatusOr<Explanation> Explain(uint32_t pid) override;
  FlowTable &flows() override { return *flows_; }
  TraceHub &trace() override { return trace_; }
  absl::Status SetLogLevel(const std::string &level) override;

 private:
  ObservedTraceHub trace_;
  std::unique_ptr<FlowTable> flows_;
  mutable std::mutex mutex_;
  std::string log_level_ = "info";
};

// Example values with every field set.
FlowRecord ExampleFlow();
AgentView::Status ExampleStatus();
std::shared_ptr<const WorkloadIdentity> ExampleIdentity();
// A process that misses one selector of ExampleIdentity().
AgentView::Explanation ExampleExplanation(uint32_t pid);
TraceEvent ExampleEvent(const std::string &step, uint64_t flow_id);

}  // namespace kith
