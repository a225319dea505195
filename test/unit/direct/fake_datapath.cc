// SPDX-License-Identifier: Apache-2.0
#include "test/unit/direct/fake_datapath.h"

#include <utility>

namespace kith {
namespace {

absl::Status Nothing() {
  return absl::NotFoundError("an empty node");
}

}  // namespace

std::vector<uint64_t> FakePasses::List() {
  std::vector<uint64_t> cookies;
  for (const auto &[cookie, flow] : flows) {
    cookies.push_back(cookie);
  }
  return cookies;
}

absl::StatusOr<direct_flow> FakePasses::Find(uint64_t cookie) {
  const auto found = flows.find(cookie);
  if (found == flows.end()) {
    return absl::NotFoundError("no direct flow");
  }
  return found->second;
}

absl::Status FakePasses::End(const direct_flow &) {
  absl::Status end = std::exchange(next_end, absl::OkStatus());
  ended += end.ok() ? 1 : 0;
  return end;
}

absl::StatusOr<DirectBytes> FakePasses::Count(const direct_flow &flow) {
  if (!has_sockets) {
    return absl::NotFoundError("no socket");
  }
  return DirectBytes{flow.bytes_sent, flow.bytes_received};
}

absl::StatusOr<std::vector<FileDescriptor>> FakeDatapath::Export() {
  return Nothing();
}
absl::Status FakeDatapath::Rollback(bool) {
  return Nothing();
}
absl::StatusOr<flow_origin> FakeDatapath::FindOrigin(uint64_t,
                                                     const Endpoint &,
                                                     const Endpoint &) {
  return Nothing();
}
absl::StatusOr<listener_entry> FakeDatapath::FindListener(uint64_t,
                                                          const Endpoint &) {
  return Nothing();
}
absl::StatusOr<listener_entry> FakeDatapath::ResolveListener(uint64_t,
                                                             const Endpoint &) {
  return Nothing();
}
absl::Status FakeDatapath::SetProcessVerdict(const process_facts &,
                                             process_verdict,
                                             uint64_t) {
  return Nothing();
}
absl::Status FakeDatapath::SetListenerVerdict(uint64_t,
                                              const Endpoint &,
                                              process_verdict,
                                              uint64_t) {
  return Nothing();
}
absl::StatusOr<std::vector<Datapath::LiveProcess>>
FakeDatapath::ListProcesses() {
  return Nothing();
}
absl::StatusOr<Datapath::LiveProcess> FakeDatapath::FindProcess(uint32_t) {
  return Nothing();
}
absl::StatusOr<Datapath::LiveProcess> FakeDatapath::FindManagedProcess(
    uint32_t) {
  return Nothing();
}
absl::StatusOr<FileDescriptor> FakeDatapath::OpenSocket(uint64_t, int) {
  return Nothing();
}
absl::StatusOr<std::unique_ptr<InboundAnnouncement>>
FakeDatapath::AnnounceInbound(uint64_t,
                              int,
                              const Endpoint &,
                              const Endpoint &) {
  return Nothing();
}
absl::StatusOr<std::unique_ptr<InboundAnnouncement>> FakeDatapath::AdoptInbound(
    uint64_t, int, const Endpoint &, const Endpoint &) {
  return Nothing();
}
absl::StatusOr<std::unique_ptr<ShownIdentity>> FakeDatapath::ShowIdentity(
    uint64_t, const IdentityFacts &) {
  return Nothing();
}
absl::Status FakeDatapath::WatchOuter(int, uint64_t) {
  return Nothing();
}

}  // namespace kith
