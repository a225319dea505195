// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/datapath/attachments.h"
#include "agent/datapath/bypass.h"
#include "agent/datapath/cgroup_claim.h"
#include "agent/datapath/control.h"
#include "agent/datapath/counters.h"
#include "agent/datapath/datapath.h"
#include "agent/datapath/event_reader.h"
#include "agent/datapath/features.h"
#include "agent/datapath/inbound_table.h"
#include "agent/datapath/iterators.h"
#include "agent/datapath/listener_table.h"
#include "agent/datapath/netns_presence.h"
#include "agent/datapath/origin_table.h"
#include "kith.skel.h"

namespace kith {
namespace {

// BpfDatapath puts the parts together. Members are destroyed in reverse order:
// the steering hooks go first, the claim on the cgroup last.
class BpfDatapath : public Datapath {
 public:
  static absl::StatusOr<std::unique_ptr<BpfDatapath>> Load(Options options);

  BpfDatapath(Options options,
              ManagedCgroup cgroup,
              PinDirectory pins,
              CgroupClaim claim,
              std::unique_ptr<Programs> programs,
              Control control)
      : options_(std::move(options)),
        cgroup_(std::move(cgroup)),
        pins_(std::move(pins)),
        claim_(std::move(claim)),
        programs_(std::move(programs)),
        control_(std::move(control)),
        origins_(programs_->maps()),
        listeners_(programs_->maps(),
                   control_,
                   bpf_program__fd(programs_->skeleton().progs.kith_listeners)),
        steering_(*programs_, pins_, options_.pin) {}

  absl::Status Prepare();
  absl::Status Start() override;

  absl::StatusOr<flow_origin> FindOrigin(uint64_t netns_cookie,
                                         const Endpoint &listener,
                                         const Endpoint &application) override {
    return origins_.Find(netns_cookie, listener, application);
  }
  void ForgetOrigin(uint64_t netns_cookie,
                    const Endpoint &listener,
                    const Endpoint &application) override {
    origins_.Forget(netns_cookie, listener, application);
  }
  absl::StatusOr<listener_entry> FindListener(uint64_t netns_cookie,
                                              const Endpoint &local) override {
    return listeners_.Find(netns_cookie, local);
  }
  absl::StatusOr<listener_entry> ResolveListener(
      uint64_t netns_cookie, const Endpoint &local) override {
    return listeners_.Resolve(netns_cookie, local);
  }
  absl::Status SetListenerVerdict(uint64_t netns_cookie,
                                  const Endpoint &local,
                                  process_verdict verdict,
                                  uint64_t generation) override {
    return listeners_.SetVerdict(netns_cookie, local, verdict, generation);
  }
  absl::Status SetProcessVerdict(const process_facts &process,
                                 process_verdict verdict,
                                 uint64_t generation) override {
    process_verdict_entry entry{};
    entry.policy_generation = generation;
    entry.verdict = verdict;
    return programs_->maps()->verdicts.Update(process, entry, BPF_ANY);
  }
  void SetPolicyGeneration(uint64_t generation) override {
    control_.SetPolicyGeneration(generation);
  }
  uint64_t ExecIdOf(const process_facts &process) override;
  absl::StatusOr<std::vector<LiveProcess>> ListProcesses() override;
  absl::StatusOr<LiveProcess> FindProcess(uint32_t tgid) override;
  absl::StatusOr<FileDescriptor> OpenSocket(uint64_t netns_cookie,
                                            int family) override {
    if (presence_ == nullptr) {
      return absl::FailedPreconditionError("the datapath is not started");
    }
    return presence_->OpenSocket(netns_cookie, family);
  }
  absl::StatusOr<std::unique_ptr<InboundAnnouncement>> AnnounceInbound(
      uint64_t netns_cookie,
      const Endpoint &source,
      const Endpoint &application,
      const Endpoint &client) override {
    return Announce(
        programs_->maps(), netns_cookie, source, application, client);
  }
  std::vector<NamedCounter> Counters() const override {
    return ReadCounters(programs_->maps()->counters.get());
  }
  std::vector<NetnsRow> Namespaces() const override {
    return presence_ == nullptr ? std::vector<NetnsRow>() : presence_->Rows();
  }

 private:
  void ForgetFormerAgent();
  absl::Status PinMaps();
  absl::Status StartReading();
  absl::Status AttachAll();
  void OnEvent(const process_event &event);

  Options options_;
  ManagedCgroup cgroup_;
  PinDirectory pins_;
  CgroupClaim claim_;
  std::unique_ptr<Programs> programs_;
  Control control_;
  OriginTable origins_;
  ListenerTable listeners_;
  NetnsSteering steering_;
  std::unique_ptr<NetnsPresence> presence_;
  std::unique_ptr<EventReader> events_;
  std::unique_ptr<Attachments> attachments_;
};

absl::StatusOr<std::unique_ptr<BpfDatapath>> BpfDatapath::Load(
    Options options) {
  if (auto capable = CheckRequirements(); !capable.ok()) {
    return capable;
  }
  auto cgroup = OpenManagedCgroup(options.cgroup);
  if (!cgroup.ok()) {
    return cgroup.status();
  }
  PinDirectory pins = PinDirectory::Find(options.state_name);
  auto claim = CgroupClaim::Take(*cgroup, pins);
  if (!claim.ok()) {
    return claim.status();
  }
  auto programs = Programs::Load(*cgroup, !options.bypass.empty(), pins);
  if (!programs.ok()) {
    return programs.status();
  }
  auto control = Control::Map((*programs)->maps()->control.get());
  if (!control.ok()) {
    return control.status();
  }
  return std::make_unique<BpfDatapath>(std::move(options),
                                       *std::move(cgroup),
                                       std::move(pins),
                                       *std::move(claim),
                                       *std::move(programs),
                                       *std::move(control));
}

absl::Status BpfDatapath::Prepare() {
  if (auto entered = EnterBypassRules(options_.bypass, *programs_->maps());
      !entered.ok()) {
    return entered;
  }
  auto self = FindProcess(static_cast<uint32_t>(getpid()));
  if (!self.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the agent cannot find itself (",
                     self.status().message(),
                     "): it must run in the pid namespace of the machine"));
  }
  if (programs_->inherited_maps()) {
    ForgetFormerAgent();
  }
  control_.SetAgent(self->process.tgid, self->process.start_time_ns);
  return absl::OkStatus();
}

// Facts of processes and listeners stay; decisions, flows and listeners of the
// former agent are void. Until Start the flows of workloads are refused.
void BpfDatapath::ForgetFormerAgent() {
  BpfMaps &maps = *programs_->maps();
  maps.verdicts.Clear();
  maps.listener_verdicts.Clear();
  maps.inbound.Clear();
  maps.tuples.Clear();
  maps.captured.Clear();
  maps.namespaces.Clear();
}

absl::Status BpfDatapath::PinMaps() {
  if (auto created = pins_.Create(); !created.ok()) {
    return created;
  }
  bpf_map *map = nullptr;
  bpf_object__for_each_map(map, programs_->object()) {
    if (bpf_map__is_internal(map)) {
      continue;
    }
    auto pinned =
        pins_.Pin(bpf_map__fd(map), PinDirectory::MapName(bpf_map__name(map)));
    if (!pinned.ok()) {
      return pinned;
    }
  }
  return absl::OkStatus();
}

void BpfDatapath::OnEvent(const process_event &event) {
  switch (event.kind) {
    case PROCESS_EVENT_EXIT:
      presence_->ProcessExited();
      [[fallthrough]];
    case PROCESS_EVENT_EXEC:
      listeners_.OwnerChanged(event.tgid);
      options_.on_process_changed(event.tgid);
      break;
    case PROCESS_EVENT_JOINED:
      presence_->Joined(event.tgid);
      break;
    case NETNS_EVENT_SEEN:
      presence_->Seen(event.tgid, event.netns_cookie);
      break;
    default:
      break;
  }
}

absl::Status BpfDatapath::StartReading() {
  presence_ = std::make_unique<NetnsPresence>(
      *programs_,
      steering_,
      listeners_,
      NetnsPresence::Callbacks{.on_added = options_.on_netns_added,
                               .on_removed = options_.on_netns_removed,
                               .on_error = options_.on_error});
  auto events = EventReader::Start(
      programs_->maps()->events.get(),
      [this](const process_event &event) { OnEvent(event); });
  if (events.ok()) {
    events_ = *std::move(events);
  }
  return events.status();
}

// Observers first, so that nothing that begins from now on is missed; then what
// was there before; connect() last, when there is a listener to steer to.
absl::Status BpfDatapath::AttachAll() {
  attachments_ =
      std::make_unique<Attachments>(*programs_, cgroup_, pins_, options_.pin);
  if (auto attached = attachments_->AttachObservers(); !attached.ok()) {
    return attached;
  }
  if (auto entered = presence_->EnterAll(); !entered.ok()) {
    return entered;
  }
  if (auto seeded = listeners_.Seed(std::nullopt); !seeded.ok()) {
    return seeded;
  }
  return attachments_->AttachSteering();
}

absl::Status BpfDatapath::Start() {
  absl::Status started = absl::OkStatus();
  if (options_.pin) {
    started = PinMaps();
  }
  if (started.ok()) {
    started = StartReading();
  }
  if (started.ok()) {
    started = AttachAll();
  }
  if (!started.ok()) {
    attachments_.reset();
    events_.reset();
    presence_.reset();
    return started;
  }
  if (!options_.pin) {
    pins_.Remove();  // of a former agent: its links have our programs now
  }
  return absl::OkStatus();
}

uint64_t BpfDatapath::ExecIdOf(const process_facts &process) {
  constexpr uint64_t kExited = ~uint64_t{0};  // EXEC_ID_EXITED of the hooks
  auto newest = programs_->maps()->execs.Lookup(process.tgid);
  if (!newest.ok() || newest->start_time_ns != process.start_time_ns ||
      newest->exec_id == kExited) {
    return process.exec_id;
  }
  return newest->exec_id;
}

Datapath::LiveProcess ToLive(const live_process &record) {
  return {record.process, record.image, record.netns_cookie};
}

absl::StatusOr<std::vector<Datapath::LiveProcess>>
BpfDatapath::ListProcesses() {
  auto records = IterateProcesses(
      bpf_program__fd(programs_->skeleton().progs.kith_processes),
      std::nullopt);
  if (!records.ok()) {
    return records.status();
  }
  std::vector<LiveProcess> live;
  live.reserve(records->size());
  for (const live_process &record : *records) {
    live.push_back(ToLive(record));
  }
  return live;
}

absl::StatusOr<Datapath::LiveProcess> BpfDatapath::FindProcess(uint32_t tgid) {
  auto records = IterateProcesses(
      bpf_program__fd(programs_->skeleton().progs.kith_process), tgid);
  if (!records.ok()) {
    return records.status();
  }
  for (const live_process &record : *records) {
    if (record.process.tgid == tgid) {
      return ToLive(record);
    }
  }
  return absl::NotFoundError(absl::StrCat("no process ", tgid));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Datapath>> Datapath::Create(Options options) {
  auto datapath = BpfDatapath::Load(std::move(options));
  if (!datapath.ok()) {
    return datapath.status();
  }
  if (auto prepared = (*datapath)->Prepare(); !prepared.ok()) {
    return prepared;
  }
  return *std::move(datapath);
}

}  // namespace kith
