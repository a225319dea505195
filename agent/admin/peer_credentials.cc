// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/peer_credentials.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// The kernel writes the size it needs and fails with ERANGE where the buffer is
// too small; the peer's groups cannot change after connect().
absl::StatusOr<std::vector<gid_t>> ReadGroups(int socket) {
  socklen_t size = 0;
  (void)getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size);
  std::vector<gid_t> groups(size / sizeof(gid_t));
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) !=
      0) {
    return absl::ErrnoToStatus(errno, "getsockopt SO_PEERGROUPS");
  }
  return groups;
}

}  // namespace

std::string PeerCredentials::ToString() const {
  return absl::StrCat("pid ", pid, ", uid ", uid, ", gid ", gid);
}

absl::StatusOr<PeerCredentials> ReadPeerCredentials(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return absl::ErrnoToStatus(errno, "getsockopt SO_PEERCRED");
  }
  auto groups = ReadGroups(socket);
  if (!groups.ok()) {
    return groups.status();
  }
  return PeerCredentials{.pid = credentials.pid,
                         .uid = credentials.uid,
                         .gid = credentials.gid,
                         .groups = *std::move(groups)};
}

bool MayUseAdminApi(const PeerCredentials &peer, uid_t agent, gid_t group) {
  return peer.uid == 0 || peer.uid == agent || peer.gid == group ||
         std::find(peer.groups.begin(), peer.groups.end(), group) !=
             peer.groups.end();
}

}  // namespace kith
