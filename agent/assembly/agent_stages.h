// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asio/thread_pool.hpp>

#include "agent/attestor/workload_attestor.h"
#include "agent/checkpoint/flow_checkpoints.h"
#include "agent/config/config.h"
#include "agent/datapath/datapath.h"
#include "agent/direct/same_node.h"
#include "agent/federation/federated_svids.h"
#include "agent/federation/federation.h"
#include "agent/federation/own_bundle.h"
#include "agent/federation/web_endpoints.h"
#include "agent/flow/acceptor.h"
#include "agent/flow/flow_context.h"
#include "agent/flowtable/flow_table.h"
#include "agent/identity/svid_store.h"
#include "agent/issuer/ca_directory_watch.h"
#include "agent/policy/resource_store.h"
#include "agent/revocation/flow_revocation.h"
#include "agent/runtime/event.h"
#include "agent/runtime/event_loop.h"
#include "agent/svidfiles/svid_files.h"
#include "agent/workloadapi/workload_api.h"

namespace kith {

// AgentStages holds the stages of a running agent: only assembly/ knows it. A
// stage is given those that it needs. Members are destroyed in reverse order:
// what a flow uses outlives the loops, on which flows live.
struct AgentStages {
  AgentStages(Config from, size_t loop_count)
      : config(std::move(from)), loops(loop_count) {}

  const Config config;
  std::string cgroup;  // resolved directory
  const std::chrono::system_clock::time_point started_at =
      std::chrono::system_clock::now();
  uint64_t generation_base() const {
    return static_cast<uint64_t>(started_at.time_since_epoch() /
                                 std::chrono::microseconds(1));
  }
  std::vector<NamedDescriptor> passed;  // by the service manager

  // What changes while the agent runs; changes.cc says who is told.
  Event<ResourceSet> policy_changed;
  Event<TrustBundle> bundle_changed;
  Event<SvidState> svid_changed;

  std::unique_ptr<TraceHub> trace = TraceHub::Create();
  std::unique_ptr<FlowTable> flows = std::make_unique<FlowTable>(trace.get());
  std::shared_ptr<Issuer> issuer;
  std::unique_ptr<SvidStore> svids;
  std::unique_ptr<CaDirectoryWatch> ca_watch;
  std::unique_ptr<Federation> federation;
  std::unique_ptr<OwnBundle> own_bundle;
  std::unique_ptr<WebEndpoints> web;
  std::unique_ptr<WorkloadAttestor> attestor;
  std::unique_ptr<ResourceStore> resources;
  CurrentResources current_resources = [this] { return resources->current(); };

  // Of the flows.
  OuterPath outer_path;
  KnownPeers mutual_peers;
  KnownPeers alpn_refusers;
  ExportedFlows exported;
  const DocumentAuthorizer authorizer;
  std::unique_ptr<FederatedSvids> svid_source;
  std::unique_ptr<WorkloadIdentifier> identifier;
  std::unique_ptr<FlowRevocation> revocation;
  std::unique_ptr<FlowCheckpoints> checkpoints;  // null: there is no flow store
  absl::Status flow_store_state;                 // why, where it was wanted
  std::unique_ptr<SameNode> same_node;           // null: no flow is direct
  OpenFlowSubscribers subscribers;
  std::unique_ptr<FlowContext> flow_context;

  EventLoops loops;
  // Reading /proc and hashing binaries block: never on a loop.
  asio::thread_pool attest_pool{2};
  std::unique_ptr<Acceptors> acceptors;
  std::unique_ptr<WorkloadApiSource> workload_api_source;
  std::unique_ptr<WorkloadApi> workload_api;
  std::unique_ptr<SvidFiles> svid_files;
  std::unique_ptr<Datapath> datapath;
};

}  // namespace kith
