// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/grant_table.h"

#include <ctime>

#include "absl/strings/str_cat.h"

#include "agent/datapath/abi_types.h"

namespace kith {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

// A connect() that just used a grant may not have completed yet.
constexpr uint64_t kGraceNs = 5 * kNsPerSecond;

// As bpf_ktime_get_ns().
uint64_t NowNs() {
  timespec now{};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * kNsPerSecond +
         static_cast<uint64_t>(now.tv_nsec);
}

pass_key KeyOf(const GrantRequest &request) {
  pass_key key{};
  key.client = ToAbi(request.client);
  key.netns_cookie = request.netns_cookie;
  key.destination = ToAbi(request.destination);
  return key;
}

SocketName NameOf(const DirectFlow &flow) {
  return {.local = flow.client,
          .remote = flow.origin.destination,
          .cookie = flow.origin.socket_cookie};
}

flow_tuple TupleOf(const direct_flow &flow) {
  flow_tuple tuple{};
  tuple.netns_cookie = flow.origin.netns_cookie;
  tuple.local = flow.origin.destination;
  tuple.remote = flow.client;
  return tuple;
}

// Other facts may have changed since listen().
bool IsSameProcess(const process_facts &one, const ProcessFacts &other) {
  return one.tgid == other.tgid && one.start_time_ns == other.start_time_ns &&
         one.exec_id == other.exec_id;
}

// The destination must belong to one socket alone, of the named process.
absl::Status CheckListener(const listener_entry &entry,
                           const ProcessFacts &server,
                           const Endpoint &destination) {
  if (!destination.IsLoopback()) {
    return absl::FailedPreconditionError(
        absl::StrCat(destination.ToString(), " is not on loopback"));
  }
  if (!IsSameProcess(entry.process, server)) {
    return absl::FailedPreconditionError(
        absl::StrCat("another process listens at ", destination.ToString()));
  }
  if (entry.sockets != 1 || entry.socket_cookie == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "not one socket alone listens at ", destination.ToString()));
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t ClientIdentityKey(uint64_t grant) {
  return PASS_IDENTITY_CLIENT(grant);
}

uint64_t ServerIdentityKey(uint64_t grant) {
  return PASS_IDENTITY_SERVER(grant);
}

absl::StatusOr<DirectFlow> GrantTable::Find(uint64_t cookie) {
  auto flow = maps_->directs.Lookup(cookie);
  if (!flow.ok()) {
    return flow.status();
  }
  return FromAbi(*flow);
}

absl::Status GrantTable::Offer(const listener_entry &listener) {
  if (maps_->pass_listeners.Lookup(listener.socket_cookie).ok()) {
    return absl::OkStatus();
  }
  return listeners_.OfferForGrants(listener);
}

absl::Status GrantTable::Open(const GrantRequest &request) {
  const absl::MutexLock opening(&opening_);
  auto found = listeners_.FindKey(request.netns_cookie, request.destination);
  if (!found.ok()) {
    return found.status();
  }
  if (auto fit =
          CheckListener(found->entry, request.server, request.destination);
      !fit.ok()) {
    return fit;
  }
  if (auto offered = Offer(found->entry); !offered.ok()) {
    return offered;
  }
  pass_entry entry{};
  entry.id = request.id;
  entry.policy_generation = request.policy_generation;
  entry.expires_at_ns =
      NowNs() + static_cast<uint64_t>(request.lifetime.count());
  entry.listener = found->key;
  entry.listener_cookie = found->entry.socket_cookie;
  return maps_->passes.Update(KeyOf(request), entry, BPF_ANY);
}

std::set<uint64_t> GrantTable::SweepGrants() {
  std::set<uint64_t> leads_to;
  const uint64_t now = NowNs();
  for (const pass_key &key : maps_->passes.Keys()) {
    auto entry = maps_->passes.Lookup(key);
    if (entry.ok() && entry->expires_at_ns + kGraceNs < now) {
      (void)maps_->passes.Delete(key);
    } else if (entry.ok()) {
      leads_to.insert(entry->listener_cookie);
    }
  }
  return leads_to;
}

void GrantTable::Sweep() {
  const absl::MutexLock opening(&opening_);
  std::set<uint64_t> listeners = SweepGrants();
  std::set<uint64_t> namespaces;
  for (const uint64_t cookie : List()) {
    if (auto flow = Find(cookie); flow.ok()) {
      namespaces.insert(flow->origin.netns_cookie);
      if (flow->state == DirectFlow::State::kConnecting) {
        listeners.insert(flow->listener_cookie);
      }
    }
  }
  for (const uint64_t cookie : maps_->pass_listeners.Keys()) {
    if (!listeners.contains(cookie)) {
      (void)maps_->pass_listeners.Delete(cookie);
    }
  }
  // A diag socket of the agent keeps its namespace alive when it is unused.
  const absl::MutexLock lock(&mutex_);
  std::erase_if(diags_, [&namespaces](const auto &diag) {
    return !namespaces.contains(diag.first);
  });
}

void GrantTable::Name(uint64_t cookie, uint64_t grant) {
  auto flow = maps_->directs.Lookup(cookie);
  if (!flow.ok()) {
    return;
  }
  const flow_tuple key = TupleOf(*flow);
  if (auto tuple = maps_->direct_tuples.Lookup(key); tuple.ok()) {
    tuple->pass = grant;
    (void)maps_->direct_tuples.Update(key, *tuple, BPF_EXIST);
  }
}

absl::StatusOr<SocketDiag *> GrantTable::DiagOf(uint64_t netns_cookie) {
  const auto known = diags_.find(netns_cookie);
  if (known != diags_.end()) {
    return &known->second;
  }
  absl::StatusOr<SocketDiag> diag = absl::InternalError("not opened");
  absl::Status visited =
      run_in_(netns_cookie, [&diag] { diag = SocketDiag::Open(); });
  if (!visited.ok() || !diag.ok()) {
    return visited.ok() ? diag.status() : visited;
  }
  return &diags_.emplace(netns_cookie, *std::move(diag)).first->second;
}

absl::Status GrantTable::End(const DirectFlow &flow) {
  const absl::MutexLock lock(&mutex_);
  auto diag = DiagOf(flow.origin.netns_cookie);
  return diag.ok() ? (*diag)->Destroy(NameOf(flow)) : diag.status();
}

absl::StatusOr<DirectBytes> GrantTable::Count(const DirectFlow &flow) {
  const absl::MutexLock lock(&mutex_);
  auto diag = DiagOf(flow.origin.netns_cookie);
  if (!diag.ok()) {
    return diag.status();
  }
  return (*diag)->Count(NameOf(flow));
}

}  // namespace kith
