// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/inbound_table.h"

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

  void Established() override {
    entry_.dialing = 0;
    (void)maps_->inbound.Update(tuple_, entry_, BPF_EXIST);
  }
  void LeaveToSuccessor() override { left_ = true; }

 private:
  std::shared_ptr<BpfMaps> maps_;
  flow_tuple tuple_;
  inbound_entry entry_;
  bool left_ = false;
};

flow_tuple TupleOf(uint64_t netns_cookie,
                   const Endpoint &source,
                   const Endpoint &application) {
  flow_tuple tuple{};
  tuple.netns_cookie = netns_cookie;
  tuple.local = application.ToAbi();
  tuple.remote = source.ToAbi();
  return tuple;
}

inbound_entry EntryOf(const Endpoint &client, bool dialing) {
  inbound_entry entry{};
  entry.client = client.ToAbi();
  entry.dialing = dialing ? 1 : 0;
  return entry;
}

absl::StatusOr<std::unique_ptr<InboundAnnouncement>> Enter(
    std::shared_ptr<BpfMaps> maps,
    const flow_tuple &tuple,
    const inbound_entry &entry,
    uint64_t flags) {
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
    const Endpoint &source,
    const Endpoint &application,
    const Endpoint &client) {
  return Enter(std::move(maps),
               TupleOf(netns_cookie, source, application),
               EntryOf(client, true),
               BPF_NOEXIST);
}

absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptAnnounced(
    std::shared_ptr<BpfMaps> maps,
    uint64_t netns_cookie,
    const Endpoint &source,
    const Endpoint &application,
    const Endpoint &client) {
  return Enter(std::move(maps),
               TupleOf(netns_cookie, source, application),
               EntryOf(client, false),
               BPF_ANY);
}

}  // namespace kith
