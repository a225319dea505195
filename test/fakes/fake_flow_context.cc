// SPDX-License-Identifier: Apache-2.0
#include "test/fakes/fake_flow_context.h"

#include <sys/socket.h>

#include <utility>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

struct FakeAnnouncement final : InboundAnnouncement {
  void Established() override {}
  void LeaveToChild() override {}
  uint64_t socket_cookie() const override { return 1; }
};

struct FakeShown final : ShownIdentity {
  void LeaveToChild() override {}
};

}  // namespace

absl::StatusOr<FileDescriptor> FakeInnerSockets::OpenSocket(uint64_t,
                                                            int family) {
  return FileDescriptor(
      socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

absl::StatusOr<std::unique_ptr<InboundAnnouncement>>
FakeInnerSockets::AnnounceInbound(uint64_t,
                                  int,
                                  const Endpoint &,
                                  const Endpoint &client) {
  announced_clients.push_back(client);
  return std::make_unique<FakeAnnouncement>();
}

absl::StatusOr<std::unique_ptr<ShownIdentity>> FakeInnerSockets::ShowIdentity(
    uint64_t, const IdentityFacts &facts) {
  shown.push_back(facts);
  return std::make_unique<FakeShown>();
}

FlowRecord FakeFlowContext::LastClosed() const {
  const std::vector<FlowRecord> closed = flows->ListClosed();
  REQUIRE_FALSE(closed.empty());
  return closed.front();
}

Workload WorkloadOf(std::shared_ptr<const WorkloadIdentity> identity) {
  auto process = std::make_shared<AttestedProcess>();
  process->facts.tgid = 42;
  process->name = "app";
  auto resources = std::make_shared<ResourceSet>();
  resources->generation = 1;
  if (identity != nullptr) {
    resources->identities.push_back(identity);
  }
  Workload workload;
  workload.process = std::move(process);
  workload.resources = std::move(resources);
  workload.identity = std::move(identity);
  return workload;
}

}  // namespace kith
