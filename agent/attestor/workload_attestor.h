// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "kith/process.h"
#include "kith/selector.h"

namespace kith {

// AttestedProcess is a process with all its known facts. Immutable.
struct AttestedProcess {
  ProcessFacts facts{};  // as attested: of kSameProcess, as it is now
  std::string name;      // base name of the executable, else comm
  std::string cmdline;   // arguments joined by spaces, at most 4 KiB
  std::string cgroup;    // cgroup v2 path, "/..."
  std::string exe;
  Attestation attestation;
};

// WorkloadAttestor derives selectors from the facts of a hook. It holds a pidfd
// while it reads /proc and checks afterwards that the process is still the one
// the hook saw: alive, same start time, same executable, no exec since. Results
// are cached by facts (bounded), so that a known process costs no read of
// /proc. Thread-safe.
class WorkloadAttestor {
 public:
  // Entries of the cache: the number of processes on a large node.
  static constexpr size_t kMaxCached = 16'384;
  // No hook reports that the owner of a listener changed its user or cgroup,
  // and a failed attestor may recover. Such results are made again after this
  // time, which also bounds the delay of a revocation.
  static constexpr std::chrono::seconds kRecheckAfter{1};

  struct Options {
    // Returns the newest exec_id of the process (Datapath::ExecIdOf).
    std::function<uint64_t(const ProcessFacts &)> exec_id_of;
    // Lower-case hex SHA-256 of an open file. Injected: this directory does not
    // link a crypto library.
    std::function<absl::StatusOr<std::string>(int fd)> sha256_of;
    // Whether any document wants process:binary:hash: hashing is costly.
    std::function<bool()> wants_binary_hash;
    std::string proc = "/proc";
  };

  // Expect says what must still be true of the process: a connecting process is
  // exactly the one of the hook; the owner of a listening socket may have
  // changed its user or done exec since listen(), and is attested in its
  // current state.
  enum class Expect { kSameImage, kSameProcess };

  static std::unique_ptr<WorkloadAttestor> Create(Options options);
  virtual ~WorkloadAttestor() = default;

  // Cached returns a cached result without touching /proc, or null. Results of
  // kSameProcess are used for kRecheckAfter only.
  virtual std::shared_ptr<const AttestedProcess> Cached(
      const ProcessFacts &facts, Expect expect) const = 0;

  // Attest returns the cached or a fresh result; concurrent callers for the
  // same process share one. NotFound: the process is gone. Aborted: it did exec
  // or its pid was reused. PermissionDenied: /proc hides it.
  // `attestation.failures` has the facts that single attestors could not
  // determine. Blocks on /proc.
  virtual absl::StatusOr<std::shared_ptr<const AttestedProcess>> Attest(
      const ProcessFacts &facts, const ProcessImage &image, Expect expect) = 0;

  // Forget drops the cached results of a process that did exec or exited.
  virtual void Forget(uint32_t tgid) = 0;
  // ForgetAll drops everything, when documents want other facts.
  virtual void ForgetAll() = 0;
  virtual size_t cached_count() const = 0;
};

}  // namespace kith
