// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/bpf_datapath.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/datapath/bypass.h"
#include "agent/datapath/features.h"
#include "kith.skel.h"

namespace kith {

BpfDatapath::BpfDatapath(Options options,
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
      listeners_(programs_->maps(), control_, *programs_),
      steering_(*programs_, pins_, options_.pin) {}

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
  auto claim = options.import.has_value()
                   ? CgroupClaim::Inherit(std::move(options.import->claim))
                   : CgroupClaim::Take(*cgroup, pins);
  if (!claim.ok()) {
    return claim.status();
  }
  auto programs = Programs::Load(*cgroup,
                                 {.has_bypass_rules = !options.bypass.empty(),
                                  .gives_grants = options.gives_grants},
                                 pins);
  if (!programs.ok()) {
    return programs.status();
  }
  if (options.import.has_value() && !(*programs)->inherited_maps()) {
    return absl::FailedPreconditionError(
        "the running agent has other BPF maps than this one, which could not "
        "go on with its flows: stop it, and start this one without --takeover");
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
  self_ = self->process;
  PrepareGrants();
  return absl::OkStatus();
}

// Flows and listeners of the former agent died with it, except those that it
// kept.
void BpfDatapath::ForgetFormerFlows() {
  BpfMaps &maps = *programs_->maps();
  maps.inbound.Clear();
  maps.identities.Clear();
  maps.passes.Clear();
  const std::vector<OriginTable::Row> kept =
      origins_.List(options_.stored_outbound);
  maps.tuples.Clear();
  maps.captured.Clear();
  origins_.Enter(kept);
  maps.namespaces.Clear();
}

// Verdicts of the former agent become void, even if it used the same policy
// generations. From here on unknown processes find a listener.
void BpfDatapath::TakeOverVerdicts() {
  absl::MutexLock lock(&generation_mutex_);
  programs_->maps()->verdicts.Clear();
  programs_->maps()->destinations.Clear();
  programs_->maps()->listener_verdicts.Clear();
  control_.SetPolicyGeneration(generation_);
  started_ = true;
}

void BpfDatapath::SetPolicyGeneration(uint64_t generation) {
  absl::MutexLock lock(&generation_mutex_);
  generation_ = generation;
  if (started_ && !exported_) {
    control_.SetPolicyGeneration(generation);
  }
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
  return StartEvents();
}

absl::Status BpfDatapath::StartEvents() {
  auto events = EventReader::Start(
      programs_->maps()->events.get(),
      {.on_process = [this](const process_event &event) { OnEvent(event); },
       .on_outer =
           [this](const outer_event &event) {
             options_.on_not_tls(event.flow);
           },
       .on_direct =
           [this](const direct_event &event) {
             options_.on_direct_changed(event.cookie);
           }});
  if (events.ok()) {
    events_ = *std::move(events);
  }
  return events.status();
}

// Without the watch, flows are as safe as the code that encrypts them: the
// agent runs, and its status says what is missing.
void BpfDatapath::AttachWatch() {
  auto watch = OuterWatch::Attach(*programs_, cgroup_, self_.cgroup_id, pins_);
  absl::MutexLock lock(&watch_mutex_);
  watch_ = std::move(watch);
  if (watch_.ok() && options_.keep_flows) {
    if (auto left = (*watch_)->LeaveIn(pins_); !left.ok()) {
      options_.on_error(left);
    }
  }
}

absl::Status BpfDatapath::WatchOuter(int socket, uint64_t flow) {
  absl::MutexLock lock(&watch_mutex_);
  return watch_.ok() ? (*watch_)->Watch(socket, flow) : absl::OkStatus();
}

// Observers are attached first, so that no later event is missed; then existing
// objects are entered; connect() is last, when it has listeners.
absl::Status BpfDatapath::AttachAll() {
  attachments_ =
      std::make_unique<Attachments>(*programs_, cgroup_, pins_, options_.pin);
  if (auto attached = attachments_->AttachObservers(); !attached.ok()) {
    return attached;
  }
  if (auto entered = presence_->EnterAll(); !entered.ok()) {
    return entered;
  }
  TakeOverVerdicts();
  EndForeignFlows();
  if (options_.import.has_value()) {
    LeaveAlone(options_.import->parent);
  }
  if (auto seeded = listeners_.Seed(std::nullopt); !seeded.ok()) {
    return seeded;
  }
  return attachments_->AttachSteering();
}

absl::Status BpfDatapath::Start() {
  absl::Status started = absl::OkStatus();
  if (!options_.import.has_value()) {
    ForgetFormerFlows();
  }
  control_.SetAgent(self_.tgid, self_.start_time_ns);
  if (options_.pin) {
    started = PinMaps();
  }
  if (started.ok()) {
    started = StartReading();
  }
  if (started.ok()) {
    AttachWatch();
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
