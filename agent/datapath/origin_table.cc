// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/origin_table.h"

#include "agent/datapath/abi_types.h"

namespace kith {
namespace {

flow_tuple TupleOf(uint64_t netns_cookie,
                   const Endpoint &listener,
                   const Endpoint &application) {
  flow_tuple tuple{};
  tuple.netns_cookie = netns_cookie;
  tuple.local = ToAbi(listener);
  tuple.remote = ToAbi(application);
  return tuple;
}

}  // namespace

absl::StatusOr<FlowOrigin> OriginTable::Find(
    uint64_t netns_cookie,
    const Endpoint &listener,
    const Endpoint &application) const {
  auto cookie =
      maps_->tuples.Lookup(TupleOf(netns_cookie, listener, application));
  if (!cookie.ok()) {
    return cookie.status();
  }
  auto record = maps_->captured.Lookup(*cookie);
  if (!record.ok()) {
    return record.status();
  }
  return FromAbi(record->origin);
}

std::vector<OriginTable::Row> OriginTable::List(
    const std::vector<Datapath::Outbound> &flows) const {
  std::vector<Row> rows;
  for (const Datapath::Outbound &flow : flows) {
    const flow_tuple tuple =
        TupleOf(flow.netns_cookie, flow.listener, flow.application);
    auto cookie = maps_->tuples.Lookup(tuple);
    if (!cookie.ok()) {
      continue;
    }
    if (auto record = maps_->captured.Lookup(*cookie); record.ok()) {
      rows.push_back({tuple, *cookie, *record});
    }
  }
  return rows;
}

void OriginTable::Enter(const std::vector<Row> &rows) {
  for (const Row &row : rows) {
    (void)maps_->captured.Update(row.cookie, row.record, BPF_ANY);
    (void)maps_->tuples.Update(row.tuple, row.cookie, BPF_ANY);
  }
}

void OriginTable::Forget(uint64_t netns_cookie,
                         const Endpoint &listener,
                         const Endpoint &application) {
  auto cookie =
      maps_->tuples.Take(TupleOf(netns_cookie, listener, application));
  if (cookie.ok()) {
    (void)maps_->captured.Delete(*cookie);
  }
}

}  // namespace kith
