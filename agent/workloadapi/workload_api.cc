// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/workload_api.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <utility>

#include <asio/as_tuple.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include "agent/grpc/grpc_server.h"
#include "agent/runtime/event_loop.h"
#include "agent/runtime/run_on.h"
#include "agent/runtime/unix_listener.h"
#include "agent/workloadapi/workload_caller.h"
#include <google/protobuf/stubs/logging.h>

namespace kith {
namespace {

// Bound of the delay until a caller's change of identity is noticed.
constexpr std::chrono::seconds kRecheckAfter{1};

// Every process may connect: the answer depends on its identity.
constexpr mode_t kSocketMode = 0666;

bool SameFacts(const ProcessFacts &a, const ProcessFacts &b) {
  return a.tgid == b.tgid && a.start_time_ns == b.start_time_ns &&
         a.exec_id == b.exec_id && a.cgroup_id == b.cgroup_id &&
         a.uid == b.uid && a.gid == b.gid;
}

// IsAmong returns whether a process still has the facts by which it was
// identified. `processes` is sorted by tgid.
bool IsAmong(const std::vector<ProcessFacts> &processes,
             const ProcessFacts &facts) {
  const auto found =
      std::ranges::lower_bound(processes, facts.tgid, {}, &ProcessFacts::tgid);
  return found != processes.end() && SameFacts(*found, facts);
}

class GrpcWorkloadApi final : public WorkloadApi {
 public:
  explicit GrpcWorkloadApi(WorkloadApiSource *source) : loops_(1) {
    state_.source = source;
  }
  ~GrpcWorkloadApi() override { Stop(); }

  absl::Status Listen(const std::string &socket_path, bool replace) override;
  void NotifyChanged() override;
  void NotifyRenewed(const SpiffeId &id) override;
  void Stop() override;

 private:
  std::shared_ptr<GrpcPeer> AddCaller(PeerProcess process);
  // Calls `visit` for each caller that has streams.
  void ForEachWatcher(const std::function<void(WorkloadCaller &)> &visit);
  void Refresh();
  void ForgetOldKeys();
  Task<void> Recheck();

  WorkloadApiState state_;
  EventLoops loops_;
  std::shared_ptr<GrpcServer> server_;
  std::vector<std::weak_ptr<WorkloadCaller>> callers_;  // of the loop
  std::atomic<bool> refresh_is_due_ = false;
  bool stopped_ = false;
};

absl::Status GrpcWorkloadApi::Listen(const std::string &socket_path,
                                     bool replace) {
  auto listener = UnixListener::Create(
      socket_path, {.mode = kSocketMode, .replace = replace});
  if (!listener.ok()) {
    return listener.status();
  }
  server_ = std::make_shared<GrpcServer>(
      *std::move(listener), loops_.at(0), [this](PeerProcess process) {
        return AddCaller(std::move(process));
      });
  server_->Start();
  asio::co_spawn(loops_.at(0).get_executor(), Recheck(), asio::detached);
  loops_.Start();
  return absl::OkStatus();
}

std::shared_ptr<GrpcPeer> GrpcWorkloadApi::AddCaller(PeerProcess process) {
  std::erase_if(callers_, [](const auto &caller) { return caller.expired(); });
  auto caller = std::make_shared<WorkloadCaller>(
      &state_, std::move(process), loops_.at(0).get_executor());
  callers_.push_back(caller);
  return caller;
}

void GrpcWorkloadApi::ForEachWatcher(
    const std::function<void(WorkloadCaller &)> &visit) {
  for (const auto &weak : callers_) {
    const auto caller = weak.lock();
    if (caller != nullptr && caller->has_streams()) {
      visit(*caller);
    }
  }
}

// Many changes at once cause one check.
void GrpcWorkloadApi::NotifyChanged() {
  if (!refresh_is_due_.exchange(true)) {
    asio::post(loops_.at(0), [this] { Refresh(); });
  }
}

void GrpcWorkloadApi::Refresh() {
  refresh_is_due_ = false;
  ForgetOldKeys();
  ForEachWatcher([](WorkloadCaller &caller) { caller.Recheck(); });
}

void GrpcWorkloadApi::NotifyRenewed(const SpiffeId &id) {
  asio::post(loops_.at(0), [this, id] {
    ForgetOldKeys();
    ForEachWatcher([&id](WorkloadCaller &caller) {
      if (caller.MayBe(id)) {
        caller.Recheck();
      }
    });
  });
}

void GrpcWorkloadApi::ForgetOldKeys() {
  state_.messages.Retain([this](const std::shared_ptr<const X509Svid> &svid) {
    auto current = state_.source->GetX509Svid(svid->id());
    return current.ok() && *current == svid;
  });
}

// No event reports that a process changed its user or its cgroup. One pass over
// all processes finds the callers to identify again.
Task<void> GrpcWorkloadApi::Recheck() {
  Timer timer(loops_.at(0).get_executor());
  for (;;) {
    timer.expires_after(kRecheckAfter);
    auto [error] = co_await timer.async_wait(
        asio::as_tuple(asio::use_awaitable_t<Executor>{}));
    bool any = false;
    ForEachWatcher([&any](WorkloadCaller &) { any = true; });
    if (error || !any) {
      continue;
    }
    auto list = [source = state_.source] { return source->ListProcesses(); };
    auto processes = co_await RunOn<absl::StatusOr<std::vector<ProcessFacts>>>(
        state_.pool, list);
    if (processes.ok()) {
      std::ranges::sort(*processes, {}, &ProcessFacts::tgid);
    }
    ForEachWatcher([&processes](WorkloadCaller &caller) {
      const auto &facts = caller.known_facts();
      if (!processes.ok() || !facts.has_value() ||
          !IsAmong(*processes, *facts)) {
        caller.Recheck();
      }
    });
  }
}

void GrpcWorkloadApi::Stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  if (server_ != nullptr) {
    std::promise<void> closed;
    asio::co_spawn(
        loops_.at(0),
        GrpcServer::Close(server_),
        [&closed](const std::exception_ptr &) { closed.set_value(); });
    closed.get_future().wait();
  }
  state_.pool.join();
  loops_.Stop();
  server_.reset();
}

}  // namespace

std::unique_ptr<WorkloadApi> WorkloadApi::Create(WorkloadApiSource *source) {
  // The library logs requests that it cannot parse to standard error: callers
  // would control the amount of logging.
  google::protobuf::SetLogHandler(nullptr);
  return std::make_unique<GrpcWorkloadApi>(source);
}

}  // namespace kith
