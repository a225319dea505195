// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/processes.h"

#include "agent/datapath/abi_types.h"
#include "agent/datapath/iterators.h"
#include "kith.skel.h"

namespace kith {
namespace {

LiveProcess ToLive(const live_process &record) {
  return {.process = FromAbi(record.process),
          .image = FromAbi(record.image),
          .netns_cookie = record.netns_cookie};
}

absl::StatusOr<LiveProcess> FindIn(const bpf_program *iterator, uint32_t tgid) {
  auto records = IterateProcesses(bpf_program__fd(iterator), tgid);
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

absl::StatusOr<std::vector<LiveProcess>> ListManagedProcesses(
    const Programs &programs) {
  auto records = IterateProcesses(
      bpf_program__fd(programs.skeleton().progs.kith_processes), std::nullopt);
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

absl::StatusOr<LiveProcess> FindProcessByPid(const Programs &programs,
                                             uint32_t tgid) {
  return FindIn(programs.skeleton().progs.kith_process, tgid);
}

absl::StatusOr<LiveProcess> FindManagedProcessByPid(const Programs &programs,
                                                    uint32_t tgid) {
  return FindIn(programs.skeleton().progs.kith_processes, tgid);
}

uint64_t NewestExecId(const Programs &programs, const ProcessFacts &process) {
  constexpr uint64_t kExited = ~uint64_t{0};  // EXEC_ID_EXITED of the hooks
  auto newest = programs.maps()->execs.Lookup(process.tgid);
  if (!newest.ok() || newest->start_time_ns != process.start_time_ns ||
      newest->exec_id == kExited) {
    return process.exec_id;
  }
  return newest->exec_id;
}

}  // namespace kith
