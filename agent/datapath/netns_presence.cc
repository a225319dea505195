// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/netns_presence.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "agent/datapath/iterators.h"
#include "agent/datapath/netns_listeners.h"
#include "kith.skel.h"

namespace kith {
namespace {

// How long an event that was lost, or a namespace that was left without an exit
// (setns), may go unnoticed.
constexpr absl::Duration kCheckPeriod = absl::Seconds(5);

// An exit is announced before the process leaves its namespace, and comes with
// others: one look for all of them.
constexpr absl::Duration kExitSettle = absl::Milliseconds(500);

FileDescriptor OpenNetns(const std::string &path) {
  return FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::string NameHere() {
  char name[64];
  const ssize_t size = readlink("/proc/thread-self/ns/net", name, sizeof(name));
  return size > 0 ? std::string(name, static_cast<size_t>(size)) : "";
}

}  // namespace

NetnsPresence::NetnsPresence(const Programs &programs,
                             NetnsSteering &steering,
                             ListenerTable &listeners,
                             Callbacks callbacks)
    : programs_(programs),
      steering_(steering),
      listeners_(listeners),
      callbacks_(std::move(callbacks)),
      own_cookie_(NetnsCookieHere().value_or(0)),
      thread_(
          std::make_unique<NetnsThread>(kCheckPeriod, [this] { Check(); })) {
  thread_->Run([this] { home_ = OpenNetns("/proc/thread-self/ns/net"); });
}

NetnsPresence::~NetnsPresence() {
  thread_.reset();
  absl::MutexLock lock(&mutex_);
  for (const auto &[cookie, unused] : present_) {
    steering_.Withdraw(cookie);
  }
}

absl::Status NetnsPresence::Visit(int netns_fd) {
  if (setns(netns_fd, CLONE_NEWNET) != 0) {
    return absl::ErrnoToStatus(errno, "setns to a network namespace");
  }
  return absl::OkStatus();
}

absl::Status NetnsPresence::GoHome() {
  visited_cookie_ = 0;
  return Visit(home_.get());
}

absl::Status NetnsPresence::Enter(uint32_t tgid, uint64_t netns_cookie) {
  {
    absl::MutexLock lock(&mutex_);
    if (present_.contains(netns_cookie)) {
      return absl::OkStatus();
    }
  }
  FileDescriptor netns = OpenNetns(absl::StrCat("/proc/", tgid, "/ns/net"));
  absl::Status entered = absl::OkStatus();
  if (netns.valid()) {
    entered = Settle(std::move(netns), netns_cookie);
  }
  absl::MutexLock lock(&mutex_);
  if (!present_.contains(netns_cookie)) {
    // The next process there announces it again.
    (void)programs_.maps()->namespaces.Delete(netns_cookie);
  }
  return entered;
}

absl::Status NetnsPresence::Settle(FileDescriptor netns,
                                   uint64_t netns_cookie) {
  if (auto visited = Visit(netns.get()); !visited.ok()) {
    return visited;
  }
  visited_cookie_ = netns_cookie;
  auto listeners = OpenListenersHere();
  if (!listeners.ok()) {
    (void)GoHome();
    return listeners.status();
  }
  if (listeners->netns_cookie != netns_cookie) {
    return GoHome();  // the process has moved, or its pid is another's now
  }
  listeners->name = NameHere();
  Namespace entry;
  entry.row = {.netns_cookie = netns_cookie,
               .name = listeners->name,
               .outbound_port_v4 = LocalPort(listeners->outbound_v4),
               .outbound_port_v6 = LocalPort(listeners->outbound_v6)};
  absl::Status offered = steering_.Offer(*listeners);
  if (offered.ok()) {
    offered = programs_.maps()->namespaces.Update(
        netns_cookie, {.state = NETNS_PRESENT}, BPF_ANY);
  }
  if (!offered.ok()) {
    steering_.Withdraw(netns_cookie);
    return offered;
  }
  auto link = steering_.AttachSkLookup(netns_cookie, netns.get());
  if (!link.ok()) {
    steering_.Withdraw(netns_cookie);
    return link.status();
  }
  entry.sk_lookup = *std::move(link);
  entry.netns = std::move(netns);
  {
    absl::MutexLock lock(&mutex_);
    present_.emplace(netns_cookie, std::move(entry));
  }
  callbacks_.on_added(*std::move(listeners));
  return absl::OkStatus();
}

void NetnsPresence::Drop(uint64_t netns_cookie) {
  steering_.Withdraw(netns_cookie);
  {
    absl::MutexLock lock(&mutex_);
    present_.erase(netns_cookie);
  }
  steering_.Unpin(netns_cookie);
  if (visited_cookie_ == netns_cookie) {
    (void)GoHome();
  }
  callbacks_.on_removed(netns_cookie);
}

absl::StatusOr<std::vector<live_process>> NetnsPresence::Processes() const {
  return IterateProcesses(
      bpf_program__fd(programs_.skeleton().progs.kith_processes), std::nullopt);
}

std::vector<uint64_t> NetnsPresence::Unused(
    const std::vector<live_process> &processes) const {
  absl::flat_hash_set<uint64_t> used;
  for (const live_process &process : processes) {
    used.insert(process.netns_cookie);
  }
  std::vector<uint64_t> unused;
  absl::MutexLock lock(&mutex_);
  for (const auto &[cookie, entry] : present_) {
    if (!used.contains(cookie)) {
      unused.push_back(cookie);
    }
  }
  return unused;
}

// First the hooks are made to announce the namespace again, then comes a second
// look: a process that appears after it is announced, one that appears before
// it is seen.
void NetnsPresence::DropUnused(const std::vector<live_process> &processes) {
  const std::vector<uint64_t> candidates = Unused(processes);
  if (candidates.empty()) {
    return;
  }
  for (const uint64_t cookie : candidates) {
    (void)programs_.maps()->namespaces.Delete(cookie);
  }
  auto again = Processes();
  absl::flat_hash_set<uint64_t> unused;
  if (again.ok()) {
    for (const uint64_t cookie : Unused(*again)) {
      unused.insert(cookie);
    }
  }
  std::vector<uint64_t> gone;
  for (const uint64_t cookie : candidates) {
    if (unused.contains(cookie)) {
      Drop(cookie);
      gone.push_back(cookie);
    } else {
      (void)programs_.maps()->namespaces.Update(
          cookie, {.state = NETNS_PRESENT}, BPF_ANY);
    }
  }
  listeners_.Sweep(gone);
}

absl::Status NetnsPresence::EnterMissing(
    const std::vector<live_process> &processes) {
  absl::Status first = absl::OkStatus();
  for (const live_process &process : processes) {
    first.Update(Enter(process.process.tgid, process.netns_cookie));
  }
  return first;
}

void NetnsPresence::Check() {
  auto processes = Processes();
  if (!processes.ok()) {
    callbacks_.on_error(processes.status());
    return;
  }
  if (auto entered = EnterMissing(*processes); !entered.ok()) {
    callbacks_.on_error(entered);
  }
  DropUnused(*processes);
  listeners_.Sweep({});
  if (auto repaired = listeners_.RepairLosses(); !repaired.ok()) {
    callbacks_.on_error(repaired);
  }
}

absl::Status NetnsPresence::EnterAll() {
  absl::Status entered;
  thread_->Run([&] {
    auto processes = Processes();
    entered = processes.ok() ? EnterMissing(*processes) : processes.status();
  });
  return entered;
}

void NetnsPresence::Seen(uint32_t tgid, uint64_t netns_cookie) {
  thread_->Post([this, tgid, netns_cookie] {
    if (auto entered = Enter(tgid, netns_cookie); !entered.ok()) {
      callbacks_.on_error(entered);
    }
  });
}

void NetnsPresence::Joined(uint32_t tgid) {
  thread_->Post([this, tgid] {
    if (auto seeded = listeners_.Seed(tgid); !seeded.ok()) {
      callbacks_.on_error(seeded);
    }
  });
}

void NetnsPresence::ProcessExited() {
  thread_->TickWithin(kExitSettle);
}

absl::StatusOr<FileDescriptor> NetnsPresence::OpenSocket(uint64_t netns_cookie,
                                                         int family) {
  if (netns_cookie == own_cookie_) {
    return OpenSocketHere(family);
  }
  absl::StatusOr<FileDescriptor> opened =
      absl::NotFoundError("the agent has left this network namespace");
  thread_->Run([&] {
    int netns_fd = -1;
    {
      absl::MutexLock lock(&mutex_);
      auto found = present_.find(netns_cookie);
      if (found == present_.end()) {
        return;
      }
      netns_fd = found->second.netns.get();
    }
    if (visited_cookie_ != netns_cookie) {
      if (auto visited = Visit(netns_fd); !visited.ok()) {
        opened = visited;
        return;
      }
      visited_cookie_ = netns_cookie;
    }
    opened = OpenSocketHere(family);
  });
  return opened;
}

std::vector<Datapath::NetnsRow> NetnsPresence::Rows() const {
  std::vector<Datapath::NetnsRow> rows;
  absl::MutexLock lock(&mutex_);
  for (const auto &[cookie, entry] : present_) {
    rows.push_back(entry.row);
  }
  return rows;
}

}  // namespace kith
