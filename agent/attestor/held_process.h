// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/attestor/cgroup_attestor.h"
#include "agent/attestor/process_view.h"
#include "agent/attestor/workload_attestor.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {

// ProcessSource holds the facts of this host that HeldProcess needs.
struct ProcessSource {
  std::string proc;
  std::function<uint64_t(const ProcessFacts &)> exec_id_of;
  absl::StatusOr<CgroupRoot> cgroup_root;
  int64_t boottime_offset_ns = 0;  // of our own time namespace
};

// HeldProcess reads one process between two checks that it is the process that
// the hook saw. A pidfd shows that the process lives, but does not show exec,
// so that start time, executable and exec id are compared as well.
class HeldProcess {
 public:
  // Open makes the first check and reads the process. Errors are those of
  // WorkloadAttestor::Attest. `source` must outlive the result.
  static absl::StatusOr<HeldProcess> Open(const ProcessSource &source,
                                          const ProcessFacts &facts,
                                          const ProcessImage &image,
                                          WorkloadAttestor::Expect expect);

  const ProcessView &view() const { return view_; }

  // Confirm makes the second check. OK: everything read since Open belongs to
  // the process.
  absl::Status Confirm() const;

 private:
  HeldProcess(const ProcessSource &source,
              FileDescriptor pidfd,
              const ProcessFacts &facts,
              const ProcessImage &image,
              WorkloadAttestor::Expect expect);

  absl::Status OpenDirectory();
  absl::Status CheckStartTime();
  absl::Status CheckImage(const absl::StatusOr<ExeFile> &exe) const;
  absl::Status TakeFacts();
  bool Alive() const;
  absl::Status Gone() const;

  const ProcessSource *source_;
  FileDescriptor pidfd_;
  ProcessFacts facts_;
  ProcessImage image_;
  WorkloadAttestor::Expect expect_;
  uint64_t exec_id_;
  std::shared_ptr<const ProcDirectory> directory_;
  absl::StatusOr<ExeFile> exe_;
  ProcessView view_;
};

}  // namespace kith
