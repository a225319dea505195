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

// AttestedProcess is a process and all that is known about it. Immutable.
struct AttestedProcess {
  ProcessFacts facts{};  // as attested: of kSameProcess, as it is now
  std::string name;      // base name of the executable, else comm
  std::string cmdline;   // arguments joined by spaces, at most 4 KiB
  std::string cgroup;    // cgroup v2 path, "/..."
  std::string exe;
  Attestation attestation;
};

// WorkloadAttestor turns the facts of a hook into selectors. It holds a pidfd
// while it reads /proc and checks afterwards that the process is still the one
// the hook saw: alive, same start time, same executable, no exec since.
// Results are cached by facts (bounded), so that a known process costs no read
// of /proc. Thread-safe.
class WorkloadAttestor {
 public:
  // Entries of the cache: as many as processes that a large node runs.
  static constexpr size_t kMaxCached = 16'384;
  // No hook tells that the owner of a listener changed its user or cgroup, and
  // an attestor that failed may work again: such results are made anew after
  // this time, which is how fast a revocation acts too.
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

  // What must still be true of the process: a connecting process is exactly the
  // one of the hook; the owner of a listening socket may have changed its user
  // or done exec since listen(), and is attested as it is now.
  enum class Expect { kSameImage, kSameProcess };

  static std::unique_ptr<WorkloadAttestor> Create(Options options);
  virtual ~WorkloadAttestor() = default;

  // Cached returns a cached result without touching /proc, or null. Results of
  // kSameProcess are used for kRecheckAfter only.
  virtual std::shared_ptr<const AttestedProcess> Cached(
      const ProcessFacts &facts, Expect expect) const = 0;

  // Attest returns the cached or a fresh result; callers that ask for the same
  // process at the same time share one. NotFound: the process is gone. Aborted:
  // it did exec or its pid was reused. PermissionDenied: /proc hides it. What
  // single attestors could not find out is in `attestation.failures`. Blocks on
  // /proc.
  virtual absl::StatusOr<std::shared_ptr<const AttestedProcess>> Attest(
      const ProcessFacts &facts, const ProcessImage &image, Expect expect) = 0;

  // Forget drops what is cached of a process that did exec or exited.
  virtual void Forget(uint32_t tgid) = 0;
  // ForgetAll drops everything (documents want other facts now).
  virtual void ForgetAll() = 0;
  virtual size_t cached_count() const = 0;
};

}  // namespace kith
