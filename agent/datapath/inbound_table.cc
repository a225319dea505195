// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/inbound_table.h"

#include <sys/socket.h>

#include "agent/datapath/abi_types.h"

namespace kith {
namespace {

class AnnouncedFlow : public InboundAnnouncement {
 public:
  AnnouncedFlow(std::shared_ptr<BpfMaps> maps,
                const flow_tuple &tuple,
                const inbound_entry &entry)
      : maps_(std::move(maps)), tuple_(tuple), entry_(entry) {}
  AnnouncedFlow(const AnnouncedFlow &) = delete;
  AnnouncedFlow &operator=(const AnnouncedFlow &) = delete;
  ~AnnouncedFlow() override {
    if (!left_) {
      (void)maps_->inbound.Delete(tuple_);
    }
  }

  uint64_t socket_cookie() const override { return entry_.agent_cookie; }

  void Established() override {
    entry_.dialing = 0;
    (void)maps_->inbound.Update(tuple_, entry_, BPF_EXIST);
  }
  void LeaveToChild() override { left_ = true; }

 private:
  std::shared_ptr<BpfMaps> maps_;
  flow_tuple tuple_;
  inbound_entry entry_;
  bool left_ = false;
};

absl::StatusOr<Endpoint> BoundAddress(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr *>(&address), &size) != 0) {
    return absl::ErrnoToStatus(errno, "getsockname");
  }
  return Endpoint::FromSockaddr(address);
}

absl::StatusOr<uint64_t> CookieOf(int socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) {
    return absl::ErrnoToStatus(errno, "getsockopt SO_COOKIE");
  }
  return cookie;
}

absl::StatusOr<std::unique_ptr<InboundAnnouncement>> Enter(
    std::shared_ptr<BpfMaps> maps,
    uint64_t netns_cookie,
    int socket,
    const Endpoint &application,
    inbound_entry entry,
    uint64_t flags) {
  auto source = BoundAddress(socket);
  if (!source.ok()) {
    return source.status();
  }
  auto cookie = CookieOf(socket);
  if (!cookie.ok()) {
    return cookie.status();
  }
  flow_tuple tuple{};
  tuple.netns_cookie = netns_cookie;
  tuple.local = ToAbi(application);
  tuple.remote = ToAbi(*source);
  entry.agent_cookie = *cookie;
  absl::Status entered = maps->inbound.Update(tuple, entry, flags);
  if (!entered.ok()) {
    return entered;
  }
  return std::make_unique<AnnouncedFlow>(std::move(maps), tuple, entry);
}

}  // namespace

absl::StatusOr<std::unique_ptr<InboundAnnouncement>> Announce(
    std::shared_ptr<BpfMaps> maps,
    uint64_t netns_cookie,
    int socket,
    const Endpoint &application,
    const Endpoint &client) {
  inbound_entry entry{};
  entry.client = ToAbi(client);
  entry.dialing = 1;
  return Enter(
      std::move(maps), netns_cookie, socket, application, entry, BPF_NOEXIST);
}

absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptAnnounced(
    std::shared_ptr<BpfMaps> maps,
    uint64_t netns_cookie,
    int socket,
    const Endpoint &application,
    const Endpoint &client) {
  inbound_entry entry{};
  entry.client = ToAbi(client);
  return Enter(
      std::move(maps), netns_cookie, socket, application, entry, BPF_ANY);
}

}  // namespace kith
