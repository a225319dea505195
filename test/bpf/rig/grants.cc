// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/grants.h"

#include "absl/log/check.h"

namespace kith {

Datapath::Options GrantRig::GivingGrants(const TestCgroup &cgroup) {
  Datapath::Options options = TestAgent::OptionsFor(cgroup);
  options.gives_grants = true;
  return options;
}

GrantRig::GrantRig(const std::string &listen_at)
    : listening(server.Listen(At(listen_at))) {
  CHECK(listening.error == 0);
}

absl::Status GrantRig::Open(const Endpoint &destination,
                            std::chrono::nanoseconds lifetime) {
  auto process = agent->FindProcess(client.pid());
  auto owner = agent->FindProcess(server.pid());
  CHECK(process.ok());
  CHECK(owner.ok());
  return passes.Open({.id = kId,
                      .client = process->process,
                      .server = owner->process,
                      .netns_cookie = netns.cookie(),
                      .destination = destination,
                      .policy_generation = kGeneration,
                      .lifetime = lifetime});
}

DirectFlow GrantRig::Await(DirectFlow::State state) {
  const auto keys = passes.List();
  CHECK(keys.size() == 1);
  const bool reached = agent.WaitUntilDirect(keys[0], [&] {
    auto flow = passes.Find(keys[0]);
    return flow.ok() && flow->state == state;
  });
  CHECK(reached);
  auto flow = passes.Find(keys[0]);
  CHECK(flow.ok());
  return *flow;
}

GrantRig::Direct GrantRig::RequireDirect(const Endpoint &to, int family) {
  Direct direct{.client = client.Connect(to, family), .server = {}};
  CHECK(direct.client.error == 0);
  auto accepted = Accept(listening.socket);
  CHECK(accepted.has_value());
  direct.server = *std::move(accepted);
  CHECK(direct.server.peer == LocalOf(direct.client.socket));
  CHECK(PeerOf(direct.client.socket) == to);
  return direct;
}

void Carry(const FileDescriptor &from, const FileDescriptor &to, size_t size) {
  const std::string sent(size, 'x');
  std::string received(size, ' ');
  CHECK(send(from.get(), sent.data(), size, 0) == static_cast<ssize_t>(size));
  CHECK(recv(to.get(), received.data(), size, MSG_WAITALL) ==
        static_cast<ssize_t>(size));
}

}  // namespace kith
