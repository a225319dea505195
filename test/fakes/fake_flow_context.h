// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/flow/flow_context.h"

namespace kith {

// FakeCapture has one origin for every inner connection, if any, and remembers
// verdicts.
struct FakeCapture : Capture {
  absl::StatusOr<FlowOrigin> origin = absl::NotFoundError("no hook saw it");
  absl::StatusOr<Listener> listener = absl::NotFoundError("nobody listens");
  int forgotten = 0;
  std::vector<ProcessVerdict> process_verdicts;
  std::vector<ProcessVerdict> listener_verdicts;
  std::vector<Endpoint> left_alone;
  uint64_t generation = 0;

  absl::StatusOr<FlowOrigin> FindOrigin(uint64_t,
                                        const Endpoint &,
                                        const Endpoint &) override {
    return origin;
  }
  void ForgetOrigin(uint64_t, const Endpoint &, const Endpoint &) override {
    ++forgotten;
  }
  absl::StatusOr<Listener> FindListener(uint64_t, const Endpoint &) override {
    return listener;
  }
  absl::StatusOr<Listener> ResolveListener(uint64_t,
                                           const Endpoint &) override {
    return listener;
  }
  absl::Status SetProcessVerdict(const ProcessFacts &,
                                 ProcessVerdict verdict,
                                 uint64_t) override {
    process_verdicts.push_back(verdict);
    return absl::OkStatus();
  }
  absl::Status SetListenerVerdict(uint64_t,
                                  const Endpoint &,
                                  ProcessVerdict verdict,
                                  uint64_t) override {
    listener_verdicts.push_back(verdict);
    return absl::OkStatus();
  }
  absl::Status LeaveDestinationAlone(const ProcessFacts &,
                                     uint64_t,
                                     const Endpoint &destination,
                                     uint64_t) override {
    left_alone.push_back(destination);
    return absl::OkStatus();
  }
  void SetPolicyGeneration(uint64_t now) override { generation = now; }
};

// FakeInnerSockets opens sockets in the namespace of the test, and remembers
// what applications were told.
struct FakeInnerSockets : InnerSockets {
  std::vector<Endpoint> announced_clients;
  std::vector<IdentityFacts> shown;

  absl::StatusOr<FileDescriptor> OpenSocket(uint64_t, int family) override;
  absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AnnounceInbound(
      uint64_t,
      int socket,
      const Endpoint &application,
      const Endpoint &client) override;
  absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptInbound(
      uint64_t netns_cookie,
      int socket,
      const Endpoint &application,
      const Endpoint &client) override {
    return AnnounceInbound(netns_cookie, socket, application, client);
  }
  absl::StatusOr<std::unique_ptr<ShownIdentity>> ShowIdentity(
      uint64_t, const IdentityFacts &facts) override;
};

// FakeOuterSockets watches nothing; `refusal` is what it says of each socket.
struct FakeOuterSockets : OuterSockets {
  absl::Status refusal;

  absl::Status WatchOuter(int, uint64_t) override { return refusal; }
  absl::Status outer_watch() const override { return absl::OkStatus(); }
};

// FakeIdentifier takes everybody for the same workload, or says why not.
struct FakeIdentifier : WorkloadIdentifier {
  absl::StatusOr<Workload> process = absl::UnavailableError("not told");
  absl::StatusOr<Workload> listener = absl::NotFoundError("nobody listens");

  // What was asked for.
  std::optional<WorkloadAttestor::Expect> expected;
  uint16_t port = 0;

  Task<absl::StatusOr<Workload>> OfProcess(const ProcessFacts &,
                                           const ProcessImage &,
                                           WorkloadAttestor::Expect expect,
                                           uint16_t destination_port) override {
    expected = expect;
    port = destination_port;
    co_return process;
  }
  Task<absl::StatusOr<Workload>> OfListener(uint64_t, Endpoint local) override {
    port = local.port;
    co_return listener;
  }
};

// FakeSvids has what the test puts there.
struct FakeSvids : SvidSource {
  std::map<std::string, std::shared_ptr<const X509Svid>> svids;  // by URI
  std::shared_ptr<const TrustBundle> bundle;

  absl::StatusOr<std::shared_ptr<const X509Svid>> Get(
      const SpiffeId &id) const override {
    const auto found = svids.find(id.uri());
    return found == svids.end()
               ? absl::StatusOr<std::shared_ptr<const X509Svid>>(
                     absl::UnavailableError("no SVID yet"))
               : found->second;
  }
  std::shared_ptr<const TrustBundle> trusted() const override { return bundle; }
};

// FakeFlowContext is all that a flow uses of an agent, without an agent.
struct FakeFlowContext {
  FakeIdentifier identifier;
  FakeSvids svids;
  DocumentAuthorizer authorizer;
  FakeCapture capture;
  FakeInnerSockets inner_sockets;
  FakeOuterSockets outer_sockets;
  std::unique_ptr<TraceHub> trace = TraceHub::Create();
  std::unique_ptr<FlowTable> flows = std::make_unique<FlowTable>(trace.get());
  KnownPeers mutual_peers;
  KnownPeers alpn_refusers;
  OuterPath outer_path{.name = "userspace", .reason = "a test", .proof = {}};
  OpenFlowSubscribers subscribers;
  ExportedFlows exported;
  FlowContext context{.identifier = identifier,
                      .svids = svids,
                      .authorizer = authorizer,
                      .capture = capture,
                      .inner_sockets = inner_sockets,
                      .outer_sockets = outer_sockets,
                      .flows = *flows,
                      .mutual_peers = mutual_peers,
                      .alpn_refusers = alpn_refusers,
                      .outer_path = outer_path,
                      .subscribers = subscribers,
                      .exported = exported};

  // The last closed flow; fails the test where there is none.
  FlowRecord LastClosed() const;
};

// WorkloadOf returns a process with this identity, by documents of generation
// 1. Null: no workload.
Workload WorkloadOf(std::shared_ptr<const WorkloadIdentity> identity);

}  // namespace kith
