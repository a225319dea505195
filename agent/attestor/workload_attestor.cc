// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/workload_attestor.h"

#include <array>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/attestor/attestor.h"
#include "agent/attestor/binary_hash.h"
#include "agent/attestor/cgroup_attestor.h"
#include "agent/attestor/held_process.h"
#include "agent/attestor/os_attestor.h"
#include "agent/attestor/process_attestors.h"
#include "agent/attestor/single_flight_cache.h"

namespace kith {
namespace {

using Result = std::shared_ptr<const AttestedProcess>;

// tgid first: the results of one process are adjacent.
using CacheKey = std::tuple<uint32_t,
                            uint64_t,
                            uint64_t,
                            uint64_t,
                            uint32_t,
                            uint32_t,
                            WorkloadAttestor::Expect>;

// One part of the cache, with its own lock.
constexpr size_t kShards = 16;
class Cache : public SingleFlightCache<CacheKey, Result> {
 public:
  Cache() : SingleFlightCache(WorkloadAttestor::kMaxCached / kShards) {}
};

constexpr size_t kMaxOffsets = 4096;

int64_t ReadBoottimeOffset(const std::string &proc) {
  auto text =
      ReadTextFile(absl::StrCat(proc, "/self/timens_offsets"), kMaxOffsets);
  return BoottimeOffset(text.value_or(""));  // no such file, no time namespaces
}

std::vector<std::unique_ptr<Attestor>> CreateAttestors(
    const WorkloadAttestor::Options &options,
    const absl::StatusOr<CgroupRoot> &cgroup_root) {
  std::vector<std::unique_ptr<Attestor>> attestors;
  attestors.push_back(CreateNameAttestor());
  attestors.push_back(CreateCmdlineAttestor());
  attestors.push_back(CreateBinaryPathAttestor());
  attestors.push_back(
      CreateBinaryHashAttestor(options.sha256_of, options.wants_binary_hash));
  attestors.push_back(CreateEffectiveUserAttestor());
  attestors.push_back(CreateRealUserAttestor());
  attestors.push_back(CreateCgroupAttestor(cgroup_root));
  attestors.push_back(CreateOsAttestor());
  return attestors;
}

class CachingAttestor final : public WorkloadAttestor {
 public:
  explicit CachingAttestor(Options options)
      : options_(std::move(options)),
        source_{.proc = options_.proc,
                .exec_id_of = options_.exec_id_of,
                .cgroup_root = CgroupRoot::Find(options_.proc),
                .boottime_offset_ns = ReadBoottimeOffset(options_.proc)},
        attestors_(CreateAttestors(options_, source_.cgroup_root)) {}

  Result Cached(const ProcessFacts &facts, Expect expect) const override {
    return ShardOf(facts.tgid).Find(KeyOf(facts, expect)).value_or(Result());
  }

  absl::StatusOr<Result> Attest(const ProcessFacts &facts,
                                const ProcessImage &image,
                                Expect expect) override {
    return ShardOf(facts.tgid).FindOrMake(KeyOf(facts, expect), [&] {
      return AttestNow(facts, image, expect);
    });
  }

  void Forget(uint32_t tgid) override {
    ShardOf(tgid).Erase({tgid, 0, 0, 0, 0, 0, Expect::kSameImage},
                        {tgid + 1, 0, 0, 0, 0, 0, Expect::kSameImage});
  }

  void ForgetAll() override {
    for (Cache &shard : shards_) {
      shard.Clear();
    }
  }

  size_t cached_count() const override {
    size_t count = 0;
    for (const Cache &shard : shards_) {
      count += shard.size();
    }
    return count;
  }

 private:
  // The facts of a listener's owner may be old: its present program is part of
  // the key, so that an exec makes the old result unreachable at once.
  CacheKey KeyOf(const ProcessFacts &facts, Expect expect) const {
    const uint64_t exec_id = expect == Expect::kSameImage
                                 ? facts.exec_id
                                 : source_.exec_id_of(facts);
    return {facts.tgid,
            facts.start_time_ns,
            exec_id,
            facts.cgroup_id,
            facts.uid,
            facts.gid,
            expect};
  }

  Cache &ShardOf(uint32_t tgid) const { return shards_[tgid % kShards]; }

  absl::StatusOr<Cache::Made> AttestNow(const ProcessFacts &facts,
                                        const ProcessImage &image,
                                        Expect expect) const {
    auto held = HeldProcess::Open(source_, facts, image, expect);
    if (!held.ok()) {
      return held.status();
    }
    const ProcessView &view = held->view();
    auto process = std::make_shared<AttestedProcess>();
    process->facts = view.facts;
    process->attestation = RunAttestors(view);
    process->cmdline = view.cmdline.value_or("");
    process->cgroup = view.cgroup.value_or("");
    process->exe = view.exe_path.value_or("");
    process->name = process->exe.empty()
                        ? view.comm.value_or("")
                        : process->exe.substr(process->exe.rfind('/') + 1);
    if (absl::Status same = held->Confirm(); !same.ok()) {
      return same;
    }
    const bool lasting =
        expect == Expect::kSameImage && process->attestation.failures.empty();
    return Cache::Made{std::move(process),
                       lasting ? Cache::Clock::duration::max()
                               : Cache::Clock::duration(kRecheckAfter)};
  }

  Attestation RunAttestors(const ProcessView &view) const {
    Attestation attestation;
    for (const auto &attestor : attestors_) {
      std::vector<Selector> selectors;
      absl::Status status = attestor->Attest(view, selectors);
      if (!status.ok()) {
        attestation.failures.push_back({std::string(attestor->name()),
                                        std::move(status),
                                        attestor->keys()});
        continue;
      }
      std::move(selectors.begin(),
                selectors.end(),
                std::back_inserter(attestation.selectors));
    }
    return attestation;
  }

  const Options options_;
  const ProcessSource source_;
  const std::vector<std::unique_ptr<Attestor>> attestors_;
  // Looking a result up marks it as used.
  mutable std::array<Cache, kShards> shards_;
};

}  // namespace

std::unique_ptr<WorkloadAttestor> WorkloadAttestor::Create(Options options) {
  return std::make_unique<CachingAttestor>(std::move(options));
}

}  // namespace kith
