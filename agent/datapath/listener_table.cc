// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/listener_table.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "agent/datapath/abi_types.h"
#include "agent/datapath/iterators.h"
#include "kith.skel.h"

namespace kith {
namespace {

listener_key KeyOf(uint64_t netns_cookie, const Endpoint &local) {
  listener_key key{};
  key.netns_cookie = netns_cookie;
  key.local = ToAbi(local);
  return key;
}

// The addresses under which the kernel looks for a listener, in its order.
std::vector<listener_key> Candidates(uint64_t netns_cookie,
                                     const Endpoint &local) {
  std::vector<listener_key> keys = {KeyOf(netns_cookie, local)};
  Endpoint wildcard;
  wildcard.port = local.port;
  if (local.IsV4()) {
    Endpoint wildcard4 = wildcard;
    wildcard4.address[10] = wildcard4.address[11] = 0xff;  // ::ffff:0.0.0.0
    keys.push_back(KeyOf(netns_cookie, wildcard4));
  }
  keys.push_back(KeyOf(netns_cookie, wildcard));
  return keys;
}

bool IsIn(const std::vector<uint64_t> &cookies, uint64_t cookie) {
  return std::find(cookies.begin(), cookies.end(), cookie) != cookies.end();
}

}  // namespace

ListenerTable::ListenerTable(std::shared_ptr<BpfMaps> maps,
                             Control &control,
                             const Programs &programs)
    : maps_(std::move(maps)),
      control_(control),
      iterator_fd_(bpf_program__fd(programs.skeleton().progs.kith_listeners)) {}

absl::StatusOr<ListenerTable::Found> ListenerTable::FindKey(
    uint64_t netns_cookie, const Endpoint &local) const {
  const auto candidates = Candidates(netns_cookie, local);
  for (const listener_key &key : candidates) {
    auto entry = maps_->listeners.Lookup(key);
    const bool not_for_v4 = local.IsV4() && &key == &candidates.back();
    if (entry.ok() && entry->sockets > 0 && !(not_for_v4 && entry->v6only)) {
      return Found{key, *entry};
    }
  }
  return absl::NotFoundError(absl::StrCat(
      "no process of the managed cgroup listens at ", local.ToString()));
}

absl::StatusOr<listener_entry> ListenerTable::Find(
    uint64_t netns_cookie, const Endpoint &local) const {
  auto found = FindKey(netns_cookie, local);
  if (!found.ok()) {
    return found.status();
  }
  return found->entry;
}

absl::StatusOr<listener_entry> ListenerTable::Resolve(uint64_t netns_cookie,
                                                      const Endpoint &local) {
  absl::MutexLock lock(&resolving_);
  auto stale = FindKey(netns_cookie, local);
  if (!stale.ok()) {
    return stale.status();
  }
  control_.RequestOwner(stale->key);
  auto live = IterateListeners(iterator_fd_, std::nullopt);
  control_.RequestOwner({});
  if (!live.ok()) {
    return live.status();
  }
  const bool held = std::any_of(
      live->begin(), live->end(), [&](const live_listener &listener) {
        return std::memcmp(&listener.key, &stale->key, sizeof(listener_key)) ==
               0;
      });
  if (!held) {
    RemoveIfOwnerIs(*stale);
  }
  return Find(netns_cookie, local);
}

absl::Status ListenerTable::OfferForGrants(const listener_entry &listener) {
  absl::MutexLock lock(&resolving_);
  (void)control_.RequestPassListener(listener.socket_cookie);
  auto live = IterateListeners(iterator_fd_, listener.process.tgid);
  const uint64_t left = control_.RequestPassListener(0);
  if (!live.ok()) {
    return live.status();
  }
  return left == 0 ? absl::OkStatus()
                   : absl::NotFoundError("the listening socket is gone");
}

// If a listen() at the same address came in between, the entry stays.
void ListenerTable::RemoveIfOwnerIs(const Found &found) {
  auto taken = maps_->listeners.Take(found.key);
  if (taken.ok() && taken->socket_cookie != found.entry.socket_cookie) {
    (void)maps_->listeners.Update(found.key, *taken, BPF_NOEXIST);
  }
}

absl::Status ListenerTable::SetVerdict(uint64_t netns_cookie,
                                       const Endpoint &local,
                                       process_verdict verdict,
                                       uint64_t generation) {
  auto found = FindKey(netns_cookie, local);
  if (!found.ok()) {
    return found.status();
  }
  if (found->entry.socket_cookie == 0) {
    return absl::AbortedError(
        absl::StrCat("the owner of ", local.ToString(), " is changing"));
  }
  listener_verdict_entry entry{};
  entry.socket_cookie = found->entry.socket_cookie;
  entry.policy_generation = generation;
  entry.verdict = verdict;
  absl::MutexLock lock(&mutex_);
  if ((verdict & PROCESS_VERDICT_LEAVE_INBOUND) != 0) {
    auto &keys = left_alone_[found->entry.process.tgid];
    const bool known =
        std::any_of(keys.begin(), keys.end(), [&](const listener_key &key) {
          return std::memcmp(&key, &found->key, sizeof(key)) == 0;
        });
    if (!known) {
      keys.push_back(found->key);
    }
  }
  return maps_->listener_verdicts.Update(found->key, entry, BPF_ANY);
}

void ListenerTable::OwnerLeftAlone(const process_facts &owner) {
  absl::MutexLock lock(&mutex_);
  owners_[owner.tgid] = owner;
}

void ListenerTable::OwnerChanged(uint32_t tgid) {
  absl::MutexLock lock(&mutex_);
  if (auto owner = owners_.extract(tgid); !owner.empty()) {
    (void)maps_->verdicts.Delete(owner.mapped());
  }
  auto left_alone = left_alone_.extract(tgid);
  if (left_alone.empty()) {
    return;
  }
  for (const listener_key &key : left_alone.mapped()) {
    (void)maps_->listener_verdicts.Delete(key);
  }
}

absl::Status ListenerTable::Seed(std::optional<uint32_t> tgid) {
  return IterateListeners(iterator_fd_, tgid).status();
}

void ListenerTable::Sweep(const std::vector<uint64_t> &gone) {
  for (const listener_key &key : maps_->listeners.Keys()) {
    auto entry = maps_->listeners.Lookup(key);
    if (!entry.ok() || (entry->sockets > 0 && !IsIn(gone, key.netns_cookie))) {
      continue;
    }
    // If a listen() between lookup and removal raised the count, the entry is
    // restored.
    auto taken = maps_->listeners.Take(key);
    if (taken.ok() && taken->sockets > entry->sockets) {
      (void)maps_->listeners.Update(key, *taken, BPF_NOEXIST);
    }
  }
}

absl::Status ListenerTable::RepairLosses() {
  if (!control_.TakeListenersLost()) {
    return absl::OkStatus();
  }
  // The table counts a socket when its cookie is new to `listening`.
  for (const uint64_t cookie : maps_->listening.Keys()) {
    auto key = maps_->listening.Lookup(cookie);
    const bool is_agents_own = key.ok() && key->local.port == 0;
    if (key.ok() && !is_agents_own && !maps_->listeners.Lookup(*key).ok()) {
      (void)maps_->listening.Delete(cookie);
    }
  }
  absl::Status seeded = Seed(std::nullopt);
  if (!seeded.ok()) {
    control_.SetListenersLost();
  }
  return seeded;
}

}  // namespace kith
