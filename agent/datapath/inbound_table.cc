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
  ~AnnouncedFlow() override { (void)maps_->inbound.Delete(tuple_); }

  void Established() override {
    entry_.dialing = 0;
    (void)maps_->inbound.Update(tuple_, entry_, BPF_EXIST);
  }

 private:
  std::shared_ptr<BpfMaps> maps_;
  flow_tuple tuple_;
  inbound_entry entry_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<InboundAnnouncement>> Announce(
    std::shared_ptr<BpfMaps> maps,
    uint64_t netns_cookie,
    const Endpoint &source,
    const Endpoint &application,
    const Endpoint &client) {
  flow_tuple tuple{};
  tuple.netns_cookie = netns_cookie;
  tuple.local = application.ToAbi();
  tuple.remote = source.ToAbi();
  inbound_entry entry{};
  entry.client = client.ToAbi();
  entry.dialing = 1;
  absl::Status entered = maps->inbound.Update(tuple, entry, BPF_NOEXIST);
  if (!entered.ok()) {
    return entered;
  }
  return std::make_unique<AnnouncedFlow>(std::move(maps), tuple, entry);
}

}  // namespace kith
