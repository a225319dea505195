// SPDX-License-Identifier: Apache-2.0
// Which open flows a change of policy or of a bundle ends.
#include "agent/revocation/flow_revocation.h"

#include <asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include "test/fakes/fake_flow_context.h"
#include "test/unit/handshake/handshake_fixture.h"

namespace kith {
namespace {

constexpr char kClient[] = "spiffe://example.org/client";
constexpr char kServer[] = "spiffe://example.org/server";

// OpenFlows is a table with one flow under mutual TLS, of a process that is the
// client by its name.
struct OpenFlows {
  FakeFlowContext fakes;
  std::shared_ptr<const ResourceSet> in_force = Documents(1, "app");
  int reattested = 0;
  FlowRevocation revocation{
      {.flows = *fakes.flows,
       .svids = fakes.svids,
       .authorizer = fakes.authorizer,
       .resources = [this] { return in_force; },
       .reattest = [this](const ProcessFacts &)
           -> absl::StatusOr<std::shared_ptr<const AttestedProcess>> {
         ++reattested;
         return absl::NotFoundError("it is gone");
       }}};
  std::shared_ptr<LiveFlow> flow;
  std::optional<CloseReason> aborted;
  FlowPermit permit;

  explicit OpenFlows(const char *peer = kServer) {
    FlowRecord record;
    record.mode = FlowMode::kMtls;
    record.opened_at = std::chrono::system_clock::now();
    record.local.spiffe_id = kClient;
    record.peer.spiffe_id = peer;
    flow = fakes.flows->Open(record);
    flow->SetAbort([this](CloseReason reason) { aborted = reason; });
    auto process = std::make_shared<AttestedProcess>();
    process->attestation.selectors = {{"process:name", "app", "test"}};
    permit = {.generation = 1,
              .process = process,
              .direction = FlowDirection::kOutbound,
              .destination = *Endpoint::Parse("10.0.0.1:80"),
              .local = *SpiffeId::Parse(kClient),
              .peer = *SpiffeId::Parse(peer)};
  }

  std::shared_ptr<const FlowPermit> shared() const {
    return std::make_shared<const FlowPermit>(permit);
  }

  // Documents that give the process of this name the client's identity.
  static std::shared_ptr<ResourceSet> Documents(uint64_t generation,
                                                const std::string &name) {
    auto identity = std::make_shared<WorkloadIdentity>();
    identity->name = "client";
    identity->spiffe_id = *SpiffeId::Parse(kClient);
    identity->selectors = {{{"process:name", {name}}}};
    auto resources = std::make_shared<ResourceSet>();
    resources->generation = generation;
    resources->identities = {identity};
    return resources;
  }

  void Change(std::shared_ptr<const ResourceSet> resources) {
    in_force = std::move(resources);
    revocation.PolicyChanged(*in_force);
  }
};

// The same domain, whose authority signs nothing that counts any more.
std::shared_ptr<const TrustBundle> Tainted(const TestTrust &trust,
                                           const std::string &authority) {
  Authorities changed = trust.forge().authorities();
  changed.tainted = {authority};
  return TrustBundle::Create({changed}).value();
}

TEST_CASE("a flow that policy still allows goes on") {
  OpenFlows open;
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  open.Change(OpenFlows::Documents(2, "app"));
  CHECK_FALSE(open.aborted.has_value());
}

TEST_CASE("a flow whose process has no identity any more ends") {
  OpenFlows open;
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  open.Change(OpenFlows::Documents(2, "other"));
  CHECK(open.aborted == CloseReason::kRevoked);
  CHECK(open.revocation.Withdrawn(open.flow->id()) ==
        std::string("the process has no longer the identity ") + kClient);
}

TEST_CASE("a flow to a peer that is not allowed any more ends") {
  OpenFlows open;
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  auto changed = OpenFlows::Documents(2, "app");
  auto identity = std::make_shared<WorkloadIdentity>(*changed->identities[0]);
  identity->allowed_outbound = {"spiffe://example.org/other"};
  changed->identities = {identity};
  open.Change(changed);
  CHECK(open.aborted == CloseReason::kRevoked);
}

TEST_CASE("a flow that two identities could have now ends") {
  OpenFlows open;
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  auto changed = OpenFlows::Documents(2, "app");
  auto other = std::make_shared<WorkloadIdentity>(*changed->identities[0]);
  other->name = "other";
  other->spiffe_id = *SpiffeId::Parse(kServer);
  changed->identities.push_back(other);
  open.Change(changed);
  CHECK(open.aborted == CloseReason::kRevoked);
  CHECK(open.revocation.Withdrawn(open.flow->id()).find("client, other") !=
        std::string::npos);
}

TEST_CASE("a plaintext flow ends where its identity is MUTUAL now") {
  OpenFlows open;
  open.permit.local.reset();
  open.permit.peer.reset();
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  open.Change(OpenFlows::Documents(2, "app"));
  CHECK(open.aborted == CloseReason::kRevoked);
}

TEST_CASE("a flow that was decided by older documents is judged at once") {
  OpenFlows open;
  open.in_force = OpenFlows::Documents(2, "other");
  CHECK(absl::IsPermissionDenied(
      open.revocation.Enter(*open.flow, open.shared())));
}

TEST_CASE("a flow that has ended is not judged") {
  OpenFlows open;
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  FlowEnd end;
  open.revocation.Ended({.flow = open.flow, .permit = open.shared()}, end);
  open.Change(OpenFlows::Documents(2, "other"));
  CHECK_FALSE(open.aborted.has_value());
}

TEST_CASE("a revoked flow ends with the reason") {
  OpenFlows open;
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  open.Change(OpenFlows::Documents(2, "other"));
  FlowEnd end{CloseReason::kRevoked, ""};
  open.revocation.Ended({.flow = open.flow, .permit = open.shared()}, end);
  CHECK(end.detail.find("has no longer the identity") != std::string::npos);
  CHECK(open.revocation.Withdrawn(open.flow->id()).empty());
}

TEST_CASE("a process is attested again where documents ask for its hash") {
  OpenFlows open;
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  auto changed = OpenFlows::Documents(2, "app");
  auto hashed = std::make_shared<WorkloadIdentity>();
  hashed->name = "hashed";
  hashed->spiffe_id = *SpiffeId::Parse(kServer);
  hashed->selectors = {{{"process:binary:hash", {"00"}}}};
  changed->identities.push_back(hashed);
  open.Change(changed);
  CHECK(open.reattested == 1);
  CHECK_FALSE(open.aborted.has_value());  // it is what it was
}

TEST_CASE("a flow of an SVID that is not in force any more ends") {
  const TestTrust trust;
  const auto svid = trust.MakeSvid("client");
  OpenFlows open;
  open.flow->Update([&](FlowRecord &record) {
    record.local.svid_serial = svid->serial();
    record.local.svid_authority = svid->authority();
  });
  REQUIRE(open.revocation.Enter(*open.flow, open.shared()).ok());
  open.revocation.BundleChanged(*trust.bundle());
  CHECK_FALSE(open.aborted.has_value());
  open.revocation.BundleChanged(*Tainted(trust, svid->authority()));
  CHECK(open.aborted == CloseReason::kRevoked);
  CHECK_FALSE(open.revocation.Withdrawn(open.flow->id()).empty());
}

TEST_CASE("a flow of such an SVID does not begin") {
  const TestTrust trust;
  const auto svid = trust.MakeSvid("client");
  OpenFlows open;
  open.flow->Update([&](FlowRecord &record) {
    record.local.svid_serial = svid->serial();
    record.local.svid_authority = svid->authority();
  });
  open.fakes.svids.bundle = Tainted(trust, svid->authority());
  asio::io_context loop;
  CHECK_FALSE(open.revocation
                  .Relaying({.flow = open.flow, .permit = open.shared()},
                            nullptr,
                            loop.get_executor())
                  .ok());
  open.fakes.svids.bundle = trust.bundle();
  CHECK(open.revocation
            .Relaying({.flow = open.flow, .permit = open.shared()},
                      nullptr,
                      loop.get_executor())
            .ok());
}

}  // namespace
}  // namespace kith
