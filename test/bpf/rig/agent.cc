// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/agent.h"

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

constexpr absl::Duration kWait = absl::Seconds(10);

}  // namespace

Datapath::Options TestAgent::OptionsFor(const TestCgroup &cgroup) {
  Datapath::Options options;
  options.cgroup = cgroup.path();
  options.state_name =
      cgroup.path().substr(cgroup.path().find_last_of('/') + 1);
  return options;
}

TestAgent::TestAgent(Datapath::Options options) {
  options.on_netns_added = [this](NetnsListeners listeners) {
    OnAdded(std::move(listeners));
  };
  options.on_netns_removed = [this](uint64_t netns_cookie) {
    absl::MutexLock lock(&mutex_);
    listeners_.erase(netns_cookie);
    removed_.insert(netns_cookie);
  };
  options.on_process_changed = [this](uint32_t tgid) {
    absl::MutexLock lock(&mutex_);
    changed_.insert(tgid);
  };
  options.on_not_tls = [this](uint64_t flow) {
    absl::MutexLock lock(&mutex_);
    not_tls_.insert(flow);
  };
  options.on_direct_changed = [this](uint64_t cookie) {
    absl::MutexLock lock(&mutex_);
    direct_.insert(cookie);
  };
  options.on_direct_left = [](const DirectFlow &, const DirectBytes &) {};
  options.on_error = [](const absl::Status &status) {
    LOG(ERROR) << "datapath: " << status;
  };
  auto created = Datapath::Create(std::move(options));
  CHECK_OK(created.status());
  datapath_ = *std::move(created);
  datapath_->SetPolicyGeneration(1);
  CHECK_OK(datapath_->Start());
}

TestAgent::~TestAgent() {
  HoldEntering(false);
  datapath_.reset();
}

void TestAgent::OnAdded(NetnsListeners listeners) {
  absl::MutexLock lock(&mutex_);
  waits_ = held_;
  mutex_.Await(absl::Condition(
      +[](bool *held) { return !*held; }, &held_));
  waits_ = false;
  const uint64_t cookie = listeners.netns_cookie;
  listeners_.insert_or_assign(cookie, std::move(listeners));
}

const NetnsListeners &TestAgent::ListenersOf(uint64_t netns_cookie) {
  absl::MutexLock lock(&mutex_);
  const auto present = [&] { return listeners_.contains(netns_cookie); };
  CHECK(mutex_.AwaitWithTimeout(absl::Condition(&present), kWait));
  return listeners_.at(netns_cookie);
}

bool TestAgent::WaitUntilRemoved(uint64_t netns_cookie) {
  absl::MutexLock lock(&mutex_);
  const auto removed = [&] { return removed_.contains(netns_cookie); };
  return mutex_.AwaitWithTimeout(absl::Condition(&removed), kWait);
}

bool TestAgent::WaitUntilChanged(uint32_t tgid) {
  absl::MutexLock lock(&mutex_);
  const auto changed = [&] { return changed_.contains(tgid); };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&changed), kWait)) {
    return false;
  }
  changed_.erase(changed_.find(tgid));
  return true;
}

bool TestAgent::WaitUntilNotTls(uint64_t flow) {
  absl::MutexLock lock(&mutex_);
  const auto alarmed = [&] { return not_tls_.contains(flow); };
  return mutex_.AwaitWithTimeout(absl::Condition(&alarmed), kWait);
}

bool TestAgent::WaitUntilDirect(uint64_t cookie,
                                const std::function<bool()> &condition) {
  const absl::Time end = absl::Now() + kWait;
  while (!condition()) {
    absl::MutexLock lock(&mutex_);
    const auto changed = [&] { return direct_.contains(cookie); };
    if (!mutex_.AwaitWithDeadline(absl::Condition(&changed), end)) {
      return false;
    }
    direct_.erase(cookie);
  }
  return true;
}

void TestAgent::CloseListeners(uint64_t netns_cookie) {
  absl::MutexLock lock(&mutex_);
  listeners_.at(netns_cookie) = NetnsListeners{.netns_cookie = netns_cookie};
}

void TestAgent::HoldEntering(bool hold) {
  absl::MutexLock lock(&mutex_);
  held_ = hold;
}

void TestAgent::AwaitHeld() {
  absl::MutexLock lock(&mutex_);
  CHECK(mutex_.AwaitWithTimeout(absl::Condition(&waits_), kWait));
}

uint64_t TestAgent::Counter(const std::string &name) {
  for (const NamedCounter &counter : datapath_->Counters()) {
    if (counter.name == name) {
      return counter.value;
    }
  }
  LOG(FATAL) << "no counter " << name;
}

}  // namespace kith
