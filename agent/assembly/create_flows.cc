// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/steps.h"
#include "agent/flow/inbound_flow.h"
#include "agent/flow/outbound_flow.h"
#include "agent/workloadapi/agent_source.h"

namespace kith {
namespace {

void CreateRevocation(AgentStages &stages) {
  stages.revocation = std::make_unique<FlowRevocation>(FlowRevocation::Parts{
      .flows = *stages.flows,
      .svids = *stages.svid_source,
      .authorizer = stages.authorizer,
      .resources = stages.current_resources,
      .reattest = [&stages](const ProcessFacts &process) {
        return stages.attestor->Attest(
            process, ProcessImage{}, WorkloadAttestor::Expect::kSameProcess);
      }});
  stages.subscribers.push_back(stages.revocation.get());
}

void CreateContext(AgentStages &stages) {
  stages.flow_context = std::make_unique<FlowContext>(
      FlowContext{.identifier = *stages.identifier,
                  .svids = *stages.svid_source,
                  .authorizer = stages.authorizer,
                  .capture = *stages.datapath,
                  .inner_sockets = *stages.datapath,
                  .outer_sockets = *stages.datapath,
                  .flows = *stages.flows,
                  .mutual_peers = stages.mutual_peers,
                  .alpn_refusers = stages.alpn_refusers,
                  .outer_path = stages.outer_path,
                  .only_in_kernel = stages.config.path == DatapathChoice::kKtls,
                  .subscribers = stages.subscribers,
                  .exported = stages.exported,
                  .generation_base = stages.generation_base()});
}

void CreateSameNode(AgentStages &stages) {
  auto grants = stages.datapath->grants();
  if (!grants.ok()) {
    return;
  }
  stages.same_node = std::make_unique<SameNode>(
      DirectContext{.grants = **grants,
                    .flow = *stages.flow_context,
                    .revocation = *stages.revocation,
                    .resources = stages.current_resources,
                    .loops = stages.loops});
  stages.subscribers.push_back(stages.same_node.get());
}

void CreateAcceptors(AgentStages &stages) {
  stages.acceptors = std::make_unique<Acceptors>(
      stages.loops,
      [&stages](uint64_t netns, TcpSocket inner) {
        return ServeOutbound(*stages.flow_context, netns, std::move(inner));
      },
      [&stages](uint64_t netns, TcpSocket outer) {
        return ServeInbound(*stages.flow_context, netns, std::move(outer));
      });
}

void CreateApis(AgentStages &stages) {
  stages.workload_api_source =
      CreateAgentSource({.host = *stages.datapath,
                         .attestor = *stages.attestor,
                         .resources = stages.current_resources,
                         .svids = *stages.svids,
                         .federation = *stages.federation});
  stages.workload_api = WorkloadApi::Create(stages.workload_api_source.get());
  stages.svid_files = std::make_unique<SvidFiles>(
      SvidFiles::Parts{.root = stages.config.svid_files,
                       .svids = *stages.svids,
                       .host = *stages.datapath,
                       .attestor = *stages.attestor,
                       .resources = stages.current_resources});
}

}  // namespace

void CreateFlows(AgentStages &stages) {
  stages.svid_source =
      std::make_unique<FederatedSvids>(*stages.svids, *stages.federation);
  stages.identifier = CreateWorkloadIdentifier(*stages.attestor,
                                               *stages.datapath,
                                               stages.current_resources,
                                               stages.attest_pool);
  CreateRevocation(stages);
  CreateContext(stages);
  CreateSameNode(stages);
  if (stages.checkpoints != nullptr) {
    stages.subscribers.push_back(stages.checkpoints.get());
  }
  CreateAcceptors(stages);
  CreateApis(stages);
}

}  // namespace kith
