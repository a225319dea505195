// SPDX-License-Identifier: Apache-2.0
#include "test/unit/direct/fake_grants.h"

#include <utility>

namespace kith {

std::vector<uint64_t> FakeGrants::List() {
  std::vector<uint64_t> cookies;
  for (const auto &[cookie, flow] : flows) {
    cookies.push_back(cookie);
  }
  return cookies;
}

absl::StatusOr<DirectFlow> FakeGrants::Find(uint64_t cookie) {
  const auto found = flows.find(cookie);
  if (found == flows.end()) {
    return absl::NotFoundError("no direct flow");
  }
  return found->second;
}

absl::Status FakeGrants::End(const DirectFlow &) {
  absl::Status end = std::exchange(next_end, absl::OkStatus());
  ended += end.ok() ? 1 : 0;
  return end;
}

absl::StatusOr<DirectBytes> FakeGrants::Count(const DirectFlow &flow) {
  if (!has_sockets) {
    return absl::NotFoundError("no socket");
  }
  return DirectBytes{flow.bytes_sent, flow.bytes_received};
}

}  // namespace kith
