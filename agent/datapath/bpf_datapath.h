// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "agent/datapath/attachments.h"
#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/control.h"
#include "agent/datapath/counters.h"
#include "agent/datapath/datapath.h"
#include "agent/datapath/event_reader.h"
#include "agent/datapath/grant_table.h"
#include "agent/datapath/identity_table.h"
#include "agent/datapath/inbound_table.h"
#include "agent/datapath/listener_table.h"
#include "agent/datapath/netns_presence.h"
#include "agent/datapath/origin_table.h"
#include "agent/datapath/outer_watch.h"
#include "agent/datapath/processes.h"

namespace kith {

// BpfDatapath assembles the parts. Members are destroyed in reverse order: the
// steering hooks are detached first, the claim on the cgroup is released last.
class BpfDatapath : public Datapath {
 public:
  static absl::StatusOr<std::unique_ptr<BpfDatapath>> Load(Options options);

  BpfDatapath(Options options,
              ManagedCgroup cgroup,
              PinDirectory pins,
              CgroupClaim claim,
              std::unique_ptr<Programs> programs,
              Control control);

  absl::Status Prepare();
  absl::Status Start() override;
  void Detach() override {
    if (!exported_) {
      attachments_.reset();
    }
  }
  absl::StatusOr<std::vector<FileDescriptor>> Export() override;
  absl::Status Rollback(bool lost) override;

  absl::StatusOr<FlowOrigin> FindOrigin(uint64_t netns_cookie,
                                        const Endpoint &listener,
                                        const Endpoint &application) override {
    return origins_.Find(netns_cookie, listener, application);
  }
  void ForgetOrigin(uint64_t netns_cookie,
                    const Endpoint &listener,
                    const Endpoint &application) override {
    origins_.Forget(netns_cookie, listener, application);
  }
  absl::StatusOr<Listener> FindListener(uint64_t netns_cookie,
                                        const Endpoint &local) override;
  absl::StatusOr<Listener> ResolveListener(uint64_t netns_cookie,
                                           const Endpoint &local) override;
  absl::Status SetListenerVerdict(uint64_t netns_cookie,
                                  const Endpoint &local,
                                  ProcessVerdict verdict,
                                  uint64_t generation) override;
  absl::Status SetProcessVerdict(const ProcessFacts &process,
                                 ProcessVerdict verdict,
                                 uint64_t generation) override;
  absl::Status LeaveDestinationAlone(const ProcessFacts &process,
                                     uint64_t netns_cookie,
                                     const Endpoint &destination,
                                     uint64_t generation) override;
  void SetPolicyGeneration(uint64_t generation) override;
  uint64_t ExecIdOf(const ProcessFacts &process) override {
    return NewestExecId(*programs_, process);
  }
  absl::StatusOr<std::vector<LiveProcess>> ListProcesses() override {
    return ListManagedProcesses(*programs_);
  }
  absl::StatusOr<LiveProcess> FindProcess(uint32_t tgid) override {
    return FindProcessByPid(*programs_, tgid);
  }
  absl::StatusOr<LiveProcess> FindManagedProcess(uint32_t tgid) override {
    return FindManagedProcessByPid(*programs_, tgid);
  }
  absl::StatusOr<FileDescriptor> OpenSocket(uint64_t netns_cookie,
                                            int family) override {
    if (presence_ == nullptr) {
      return absl::FailedPreconditionError("the datapath is not started");
    }
    return presence_->OpenSocket(netns_cookie, family);
  }
  absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AnnounceInbound(
      uint64_t netns_cookie,
      int socket,
      const Endpoint &application,
      const Endpoint &client) override {
    return Announce(
        programs_->maps(), netns_cookie, socket, application, client);
  }
  absl::StatusOr<std::unique_ptr<ShownIdentity>> ShowIdentity(
      uint64_t socket_cookie, const IdentityFacts &facts) override {
    return Show(programs_->maps(), socket_cookie, facts);
  }
  absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AdoptInbound(
      uint64_t netns_cookie,
      int socket,
      const Endpoint &application,
      const Endpoint &client) override {
    return AdoptAnnounced(
        programs_->maps(), netns_cookie, socket, application, client);
  }
  absl::StatusOr<DirectGrants *> grants() override {
    return grants_.ok() ? absl::StatusOr<DirectGrants *>(grants_->get())
                        : grants_.status();
  }
  absl::Status WatchOuter(int socket, uint64_t flow) override;
  absl::Status outer_watch() const override {
    absl::MutexLock lock(&watch_mutex_);
    return watch_.status();
  }
  std::vector<NamedCounter> Counters() const override {
    return ReadCounters(programs_->maps()->counters.get());
  }
  std::vector<NetnsRow> Namespaces() const override {
    return presence_ == nullptr ? std::vector<NetnsRow>() : presence_->Rows();
  }

 private:
  void ForgetFormerFlows();
  void TakeOverVerdicts();
  void LeaveAlone(uint32_t pid);
  absl::Status PinAll();
  absl::Status PinMaps();
  void PrepareGrants();
  std::unique_ptr<GrantTable> MakeGrants();
  void EndForeignFlows();
  void EndForeignFlow(DirectGrants &table, const DirectFlow &flow);
  absl::Status StartReading();
  absl::Status StartEvents();
  void AttachWatch();
  absl::Status AttachAll();
  void OnEvent(const process_event &event);

  Options options_;
  ManagedCgroup cgroup_;
  PinDirectory pins_;
  CgroupClaim claim_;
  std::unique_ptr<Programs> programs_;
  Control control_;
  absl::Mutex generation_mutex_;
  // Until Start, the hooks of a former agent obey that agent's generation, so
  // that they do not refuse processes that it knew.
  uint64_t generation_ ABSL_GUARDED_BY(generation_mutex_) = 0;
  bool started_ ABSL_GUARDED_BY(generation_mutex_) = false;
  std::atomic<bool> exported_{false};
  ProcessFacts self_;
  OriginTable origins_;
  ListenerTable listeners_;
  NetnsSteering steering_;
  absl::StatusOr<std::unique_ptr<GrantTable>> grants_ =
      absl::FailedPreconditionError("datapath.sameNode is tls");
  mutable absl::Mutex watch_mutex_;  // the admin API asks while Start runs
  absl::StatusOr<std::unique_ptr<OuterWatch>> watch_
      ABSL_GUARDED_BY(watch_mutex_) =
          absl::FailedPreconditionError("the datapath is not started");
  std::unique_ptr<NetnsPresence> presence_;
  std::unique_ptr<EventReader> events_;
  std::unique_ptr<Attachments> attachments_;
};

}  // namespace kith
