// SPDX-License-Identifier: Apache-2.0
#include "agent/flowtable/packed_flow.h"

namespace kith {
namespace {

// Calls `visit` with every string of `record`, always in the same order.
template <typename Record, typename TlsFacts, typename Visit>
void ForEachString(Record &record, TlsFacts &tls, const Visit &visit) {
  size_t index = 0;
  for (auto *text : {&record.process.name,
                     &record.process.cmdline,
                     &record.process.cgroup,
                     &record.local.spiffe_id,
                     &record.local.svid_serial,
                     &record.local.svid_authority,
                     &record.peer.spiffe_id,
                     &record.peer.svid_serial,
                     &record.peer.svid_authority,
                     &tls.version,
                     &tls.cipher,
                     &tls.group,
                     &tls.alpn,
                     &record.rule,
                     &record.detail}) {
    visit(index++, *text);
  }
}

}  // namespace

StringPool::Handle StringPool::Take(const std::string &text) {
  if (text.empty()) {
    return nullptr;
  }
  auto entry = uses_.try_emplace(text, 0).first;
  ++entry->second;
  return &*entry;
}

void StringPool::Drop(Handle handle) {
  if (handle == nullptr) {
    return;
  }
  auto entry = uses_.find(handle->first);
  if (--entry->second == 0) {
    uses_.erase(entry);
  }
}

PackedFlow Pack(const FlowRecord &record, StringPool &pool) {
  PackedFlow packed{.id = record.id,
                    .direction = record.direction,
                    .mode = record.mode,
                    .path = record.path,
                    .reason = record.reason,
                    .pid = record.process.pid,
                    .has_tls = record.tls.has_value(),
                    .start_time_ns = record.process.start_time_ns,
                    .local_expires = record.local.svid_expires,
                    .peer_expires = record.peer.svid_expires,
                    .client = record.client,
                    .destination = record.destination,
                    .bytes_sent = record.bytes_sent,
                    .bytes_received = record.bytes_received,
                    .opened_at = record.opened_at,
                    .closed_at = record.closed_at,
                    .timing = record.timing};
  const FlowRecord::Tls tls = record.tls.value_or(FlowRecord::Tls{});
  ForEachString(record, tls, [&](size_t index, const std::string &text) {
    packed.strings[index] =
        &text == &record.process.cmdline && text.size() > kMaxClosedCmdline
            ? pool.Take(text.substr(0, kMaxClosedCmdline))
            : pool.Take(text);
  });
  return packed;
}

FlowRecord Unpack(const PackedFlow &packed) {
  FlowRecord record;
  record.id = packed.id;
  record.direction = packed.direction;
  record.state = FlowState::kClosed;
  record.mode = packed.mode;
  record.path = packed.path;
  record.reason = packed.reason;
  record.process.pid = packed.pid;
  record.process.start_time_ns = packed.start_time_ns;
  record.local.svid_expires = packed.local_expires;
  record.peer.svid_expires = packed.peer_expires;
  record.client = packed.client;
  record.destination = packed.destination;
  record.bytes_sent = packed.bytes_sent;
  record.bytes_received = packed.bytes_received;
  record.opened_at = packed.opened_at;
  record.closed_at = packed.closed_at;
  record.timing = packed.timing;
  FlowRecord::Tls tls;
  ForEachString(record, tls, [&](size_t index, std::string &text) {
    if (packed.strings[index] != nullptr) {
      text = packed.strings[index]->first;
    }
  });
  if (packed.has_tls) {
    record.tls = std::move(tls);
  }
  return record;
}

void Drop(const PackedFlow &packed, StringPool &pool) {
  for (StringPool::Handle handle : packed.strings) {
    pool.Drop(handle);
  }
}

}  // namespace kith
