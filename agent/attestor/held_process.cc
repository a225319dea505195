// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/held_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

using Expect = WorkloadAttestor::Expect;

constexpr size_t kMaxStat = 4096;

absl::StatusOr<FileDescriptor> OpenPidfd(uint32_t tgid) {
  // A pidfd is close-on-exec by itself (pidfd_open(2)). The declaration of
  // glibc 2.36 lacks the C linkage.
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, tgid, 0)));
  if (pidfd.valid()) {
    return pidfd;
  }
  if (errno == ESRCH || errno == EINVAL) {
    return absl::NotFoundError(absl::StrCat("process ", tgid, " is gone"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("pidfd_open ", tgid));
}

// The start time as /proc/PID/stat rounds it (nsec_to_clock_t in the kernel).
uint64_t TicksOf(const ProcessFacts &facts, int64_t boottime_offset_ns) {
  const auto ticks_per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return (facts.start_time_ns + static_cast<uint64_t>(boottime_offset_ns)) /
         (1'000'000'000 / ticks_per_second);
}

}  // namespace

HeldProcess::HeldProcess(const ProcessSource &source,
                         FileDescriptor pidfd,
                         const ProcessFacts &facts,
                         const ProcessImage &image,
                         Expect expect)
    : source_(&source),
      pidfd_(std::move(pidfd)),
      facts_(facts),
      image_(image),
      expect_(expect),
      exec_id_(expect == Expect::kSameImage ? facts.exec_id
                                            : source.exec_id_of(facts)) {}

absl::StatusOr<HeldProcess> HeldProcess::Open(const ProcessSource &source,
                                              const ProcessFacts &facts,
                                              const ProcessImage &image,
                                              Expect expect) {
  auto pidfd = OpenPidfd(facts.tgid);
  if (!pidfd.ok()) {
    return pidfd.status();
  }
  HeldProcess held(source, *std::move(pidfd), facts, image, expect);
  absl::Status status = held.OpenDirectory();
  if (status.ok()) {
    status = held.CheckStartTime();
  }
  if (status.ok()) {
    held.exe_ = held.directory_->FindExe();
    status = held.CheckImage(held.exe_);
  }
  if (status.ok()) {
    held.view_ = ReadProcessView(held.directory_, held.exe_);
    status = held.TakeFacts();
  }
  if (!status.ok()) {
    // Any failure after the process ended has that end as its cause.
    return held.Alive() ? status : held.Gone();
  }
  return held;
}

absl::Status HeldProcess::OpenDirectory() {
  auto directory = ProcDirectory::Open(source_->proc, facts_.tgid);
  if (absl::IsNotFound(directory.status()) && Alive()) {
    return absl::PermissionDeniedError(
        absl::StrCat(directory.status().message(),
                     ": the process lives, but /proc hides it (hidepid): give "
                     "the agent CAP_SYS_PTRACE in the initial pid namespace"));
  }
  if (!directory.ok()) {
    return directory.status();
  }
  directory_ = std::make_shared<ProcDirectory>(*std::move(directory));
  return absl::OkStatus();
}

absl::Status HeldProcess::CheckStartTime() {
  auto text = directory_->Read("stat", kMaxStat);
  if (!text.ok()) {
    return text.status();
  }
  auto stat = ParseStat(*text);
  if (!stat.ok()) {
    return absl::Status(
        stat.status().code(),
        absl::StrCat(
            directory_->PathOf("stat"), ": ", stat.status().message()));
  }
  if (stat->start_ticks != TicksOf(facts_, source_->boottime_offset_ns)) {
    return absl::AbortedError(absl::StrCat(
        "process ", facts_.tgid, " is another one by now: its pid was reused"));
  }
  // A main thread that has ended leaves no memory to read, while the other
  // threads live on: their files show the same program.
  if (stat->state == 'Z' && Alive()) {
    auto thread = directory_->OpenLiveThread();
    if (!thread.ok()) {
      return thread.status();
    }
    directory_ = std::make_shared<ProcDirectory>(*std::move(thread));
  }
  return absl::OkStatus();
}

absl::Status HeldProcess::CheckImage(const absl::StatusOr<ExeFile> &exe) const {
  absl::Status changed = absl::AbortedError(absl::StrCat(
      "process ", facts_.tgid, " runs another executable by now (exec)"));
  const bool none = absl::IsNotFound(exe.status());
  if (!exe.ok() && !none) {
    return exe.status();
  }
  if (expect_ == Expect::kSameImage) {
    const bool same =
        none ? image_.exe_inode == 0 : directory_->IsImage(*exe, image_);
    return same ? absl::OkStatus() : changed;
  }
  // The first check of kSameProcess has nothing to compare with.
  if (exe_.ok() && (none || !exe->SameFile(*exe_))) {
    return changed;
  }
  return absl::OkStatus();
}

absl::Status HeldProcess::TakeFacts() {
  view_.facts = facts_;
  view_.facts_source = "connect hook";
  if (expect_ == Expect::kSameImage) {
    return absl::OkStatus();
  }
  if (!view_.credentials.ok()) {
    return view_.credentials.status();
  }
  view_.facts.exec_id = exec_id_;
  view_.facts.uid = view_.credentials->effective_uid;
  view_.facts.gid = view_.credentials->effective_gid;
  view_.facts_source = view_.Source("status");
  view_.facts.cgroup_id = 0;  // no cgroup has this id
  if (view_.cgroup.ok() && source_->cgroup_root.ok()) {
    view_.facts.cgroup_id =
        source_->cgroup_root->IdOf(*view_.cgroup).value_or(0);
  }
  return absl::OkStatus();
}

absl::Status HeldProcess::Confirm() const {
  absl::Status same = CheckImage(directory_->FindExe());
  if (same.ok() && source_->exec_id_of(facts_) != exec_id_) {
    same = absl::AbortedError(
        absl::StrCat("process ", facts_.tgid, " did exec meanwhile"));
  }
  return Alive() ? same : Gone();
}

bool HeldProcess::Alive() const {
  // A pidfd is readable when the last thread has ended (pidfd_open(2)).
  pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return poll(&ended, 1, 0) == 0;
}

absl::Status HeldProcess::Gone() const {
  return absl::NotFoundError(absl::StrCat("process ", facts_.tgid, " is gone"));
}

}  // namespace kith
