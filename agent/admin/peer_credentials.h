// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace kith {

// PeerCredentials identify the process that connected a Unix socket, as the
// kernel recorded them at connect() (unix(7), SO_PEERCRED and SO_PEERGROUPS).
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary

  // ToString returns "pid 12, uid 0, gid 0".
  std::string ToString() const;
};

absl::StatusOr<PeerCredentials> ReadPeerCredentials(int socket);

// MayUseAdminApi returns whether `peer` is root, the agent's own user or a
// member of `group`. The mode of the socket says the same; this check holds
// even if the mode was widened.
bool MayUseAdminApi(const PeerCredentials &peer, uid_t agent, gid_t group);

}  // namespace kith
