// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include <asio/thread_pool.hpp>

#include "agent/attestor/workload_attestor.h"
#include "agent/checkpoint/flow_store.h"
#include "agent/config/config.h"
#include "agent/datapath/datapath.h"
#include "agent/direct/same_node.h"
#include "agent/federation/federation.h"
#include "agent/federation/own_bundle.h"
#include "agent/flow/known_peers.h"
#include "agent/flow/outer_path.h"
#include "agent/flowtable/flow_table.h"
#include "agent/hotrestart/exported_flows.h"
#include "agent/identity/svid_store.h"
#include "agent/issuer/ca_directory_watch.h"
#include "agent/policy/resource_store.h"
#include "agent/revocation/flow_permits.h"
#include "agent/runtime/event_loop.h"
#include "agent/svidfiles/svid_files.h"
#include "agent/web/web_server.h"
#include "agent/workloadapi/workload_api.h"

namespace kith {

// AgentStages holds the stages of a running agent. They do not know each other:
// the flows (outbound_flow.cc, inbound_flow.cc) pass values between them.
// Members are destroyed in reverse order: the datapath detaches before anything
// that a steered flow could need goes away.
struct AgentStages {
  explicit AgentStages(Config from, size_t loop_count)
      : config(std::move(from)), loops(loop_count) {}

  Config config;
  std::string cgroup;  // resolved directory
  std::chrono::system_clock::time_point started_at =
      std::chrono::system_clock::now();
  // Verdicts left in pinned maps by an earlier agent must not look current, so
  // that generations continue from the clock instead of from one.
  uint64_t generation_base = 0;

  // Before the stages whose threads tell them of changes; stopped first.
  std::unique_ptr<WorkloadApiSource> workload_api_source;
  std::unique_ptr<WorkloadApi> workload_api;
  std::unique_ptr<SvidFiles> svid_files;

  std::unique_ptr<FlowStore> flow_store;  // null: none
  absl::Status flow_store_state;          // why there is none that was wanted

  std::unique_ptr<TraceHub> trace;
  std::unique_ptr<FlowTable> flows;
  FlowPermits permits;
  std::shared_ptr<Issuer> issuer;
  std::unique_ptr<SvidStore> svids;  // its thread ends flows
  std::unique_ptr<CaDirectoryWatch> ca_watch;
  std::unique_ptr<Federation> federation;
  std::unique_ptr<OwnBundle> own_bundle;
  // After what they serve.
  std::vector<std::unique_ptr<WebServer>> web_servers;
  std::unique_ptr<WorkloadAttestor> attestor;
  KnownPeers mutual_peers;   // have completed mutual TLS
  KnownPeers alpn_refusers;  // take no client that offers "kith/1"
  OuterPath outer_path;
  ExportedFlows exported_flows;  // on their way to the next agent
  std::unique_ptr<ResourceStore> resources;
  EventLoops loops;
  // Reading /proc and hashing binaries block: never on a loop.
  asio::thread_pool attest_pool{2};
  std::unique_ptr<SameNode> same_node;  // null: no flow is direct
  std::unique_ptr<Datapath> datapath;
  std::vector<NamedDescriptor> passed;  // by the service manager

  // TrustedBundle has every trust domain that is known. Which of them a flow
  // may have peers of is AuthorizePeer's to say.
  std::shared_ptr<const TrustBundle> TrustedBundle() const {
    return federation->JoinAll(svids->bundle());
  }

  uint64_t PolicyGeneration(const ResourceSet &set) const {
    return generation_base + set.generation;
  }
};

}  // namespace kith
