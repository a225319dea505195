// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/netns_presence.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

#include "agent/datapath/iterators.h"
#include "agent/datapath/netns_listeners.h"
#include "kith.skel.h"

namespace kith {
namespace {

// Bound of the delay until the agent notices a lost event, or a namespace that
// was left without an exit (setns).
constexpr absl::Duration kCheckPeriod = absl::Seconds(5);

// An exit is announced before the process leaves its namespace, and exits come
// in groups: one check for all of them.
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
      loader_(std::make_unique<NetnsThread>(absl::InfiniteDuration(), [] {})),
      thread_(
          std::make_unique<NetnsThread>(kCheckPeriod, [this] { Check(); })) {
  thread_->Run([this] { home_ = OpenNetns("/proc/thread-self/ns/net"); });
}

NetnsPresence::~NetnsPresence() {
  thread_.reset();
  loader_.reset();
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
    return GoHome();  // the process moved, or its pid was reused
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
  entry.netns = std::move(netns);
  entry.listeners = *std::move(listeners);
  absl::MutexLock lock(&mutex_);
  present_.emplace(netns_cookie, std::move(entry));
  return absl::OkStatus();
}

// Steer hands SYNs to the listeners. Loading the program takes some
// milliseconds, in which another namespace may need its listeners: at run time
// a separate thread loads it.
absl::Status NetnsPresence::Steer(uint64_t netns_cookie) {
  FileDescriptor netns;
  {
    absl::MutexLock lock(&mutex_);
    auto entry = present_.find(netns_cookie);
    if (entry == present_.end() || entry->second.sk_lookup.valid()) {
      return absl::OkStatus();
    }
    netns.Reset(fcntl(entry->second.netns.get(), F_DUPFD_CLOEXEC, 0));
  }
  auto link = steering_.AttachSkLookup(netns_cookie, netns.get());
  if (!link.ok()) {
    return link.status();
  }
  absl::MutexLock lock(&mutex_);
  auto entry = present_.find(netns_cookie);
  if (entry == present_.end()) {
    steering_.Unpin(netns_cookie);  // dropped meanwhile
  } else {
    entry->second.sk_lookup = *std::move(link);
    // Connections wait in the listeners until now. The call is under the lock,
    // so that the namespace cannot be announced as removed before.
    callbacks_.on_added(std::move(entry->second.listeners));
  }
  return absl::OkStatus();
}

void NetnsPresence::SteerSoon(uint64_t netns_cookie) {
  loader_->Post([this, netns_cookie] {
    if (auto steered = Steer(netns_cookie); !steered.ok()) {
      callbacks_.on_error(steered);  // Check tries again
    }
  });
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

absl::Status NetnsPresence::EnterMissing(
    const std::vector<live_process> &processes) {
  absl::Status first = absl::OkStatus();
  for (const live_process &process : processes) {
    first.Update(Enter(process.process.tgid, process.netns_cookie));
  }
  return first;
}

absl::Status NetnsPresence::EnterAll() {
  absl::Status entered;
  thread_->Run([&] {
    auto processes = Processes();
    entered = processes.ok() ? EnterMissing(*processes) : processes.status();
    for (const uint64_t cookie : Unsteered()) {
      entered.Update(Steer(cookie));
    }
  });
  return entered;
}

void NetnsPresence::Seen(uint32_t tgid, uint64_t netns_cookie) {
  // The process may connect at any moment, so that its task goes first.
  thread_->PostFirst([this, tgid, netns_cookie] {
    if (auto entered = Enter(tgid, netns_cookie); !entered.ok()) {
      callbacks_.on_error(entered);
    }
    SteerSoon(netns_cookie);
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

absl::Status NetnsPresence::VisitPresent(uint64_t netns_cookie) {
  int netns_fd = -1;
  {
    absl::MutexLock lock(&mutex_);
    auto found = present_.find(netns_cookie);
    if (found == present_.end()) {
      return absl::NotFoundError("the agent has left this network namespace");
    }
    netns_fd = found->second.netns.get();
  }
  if (visited_cookie_ == netns_cookie) {
    return absl::OkStatus();
  }
  absl::Status visited = Visit(netns_fd);
  if (visited.ok()) {
    visited_cookie_ = netns_cookie;
  }
  return visited;
}

absl::Status NetnsPresence::RunIn(uint64_t netns_cookie,
                                  const std::function<void()> &task) {
  if (netns_cookie == own_cookie_) {
    task();
    return absl::OkStatus();
  }
  absl::Status visited;
  thread_->Run([&] {
    visited = VisitPresent(netns_cookie);
    if (visited.ok()) {
      task();
    }
  });
  return visited;
}

absl::StatusOr<FileDescriptor> NetnsPresence::OpenSocket(uint64_t netns_cookie,
                                                         int family) {
  absl::StatusOr<FileDescriptor> opened;
  absl::Status visited =
      RunIn(netns_cookie, [&] { opened = OpenSocketHere(family); });
  return visited.ok() ? std::move(opened) : visited;
}

std::vector<NetnsRow> NetnsPresence::Rows() const {
  std::vector<NetnsRow> rows;
  absl::MutexLock lock(&mutex_);
  for (const auto &[cookie, entry] : present_) {
    rows.push_back(entry.row);
  }
  return rows;
}

}  // namespace kith
