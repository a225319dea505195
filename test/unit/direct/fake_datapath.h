// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "agent/datapath/datapath.h"

namespace kith {

// FakePasses holds the direct flows that a test puts there, and remembers what
// was done with them. Used by one thread at a time.
struct FakePasses final : DirectGrants {
  std::map<uint64_t, direct_flow> flows;  // by cookie
  bool has_sockets = true;                // the kernel knows all of them
  absl::Status next_end;                  // what End returns once
  int ended = 0;

  absl::Status Open(const GrantRequest &) override { return absl::OkStatus(); }
  void Void() override {}
  void Sweep() override {}
  std::vector<uint64_t> List() override;
  absl::StatusOr<direct_flow> Find(uint64_t cookie) override;
  void Forget(uint64_t cookie) override { flows.erase(cookie); }
  void Name(uint64_t cookie, uint64_t pass) override {
    flows.at(cookie).pass = pass;
  }
  absl::Status End(const direct_flow &flow) override;
  absl::StatusOr<DirectBytes> Count(const direct_flow &flow) override;
};

// FakeDatapath has passes, and a node without any listener or process.
class FakeDatapath final : public Datapath {
 public:
  FakePasses given;

  absl::Status Start() override { return absl::OkStatus(); }
  void Detach() override {}
  absl::StatusOr<std::vector<FileDescriptor>> Export() override;
  absl::Status Rollback(bool) override;
  absl::StatusOr<flow_origin> FindOrigin(uint64_t,
                                         const Endpoint &,
                                         const Endpoint &) override;
  absl::StatusOr<listener_entry> FindListener(uint64_t,
                                              const Endpoint &) override;
  absl::StatusOr<listener_entry> ResolveListener(uint64_t,
                                                 const Endpoint &) override;
  absl::Status SetProcessVerdict(const process_facts &,
                                 process_verdict,
                                 uint64_t) override;
  absl::Status SetListenerVerdict(uint64_t,
                                  const Endpoint &,
                                  process_verdict,
                                  uint64_t) override;
  absl::Status LeaveDestinationAlone(const process_facts &,
                                     uint64_t,
                                     const Endpoint &,
                                     uint64_t) override {
    return absl::OkStatus();
  }
  void SetPolicyGeneration(uint64_t) override {}
  uint64_t ExecIdOf(const process_facts &process) override {
    return process.exec_id;
  }
  absl::StatusOr<std::vector<LiveProcess>> ListProcesses() override;
  absl::StatusOr<LiveProcess> FindProcess(uint32_t) override;
  absl::StatusOr<LiveProcess> FindManagedProcess(uint32_t) override;
  absl::StatusOr<FileDescriptor> OpenSocket(uint64_t, int) override;
  absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AnnounceInbound(
      uint64_t, int, const Endpoint &, const Endpoint &) override;
  absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptInbound(
      uint64_t, int, const Endpoint &, const Endpoint &) override;
  absl::StatusOr<std::unique_ptr<ShownIdentity>> ShowIdentity(
      uint64_t, const IdentityFacts &) override;
  absl::StatusOr<DirectGrants *> passes() override { return &given; }
  void ForgetOrigin(uint64_t, const Endpoint &, const Endpoint &) override {}
  absl::Status WatchOuter(int, uint64_t) override;
  absl::Status outer_watch() const override { return absl::OkStatus(); }
  std::vector<NamedCounter> Counters() const override { return {}; }
  std::vector<NetnsRow> Namespaces() const override { return {}; }
};

}  // namespace kith
