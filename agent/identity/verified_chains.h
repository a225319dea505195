// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "agent/identity/certificate.h"
#include "agent/identity/peer_identity.h"

namespace kith {

// ChainDigest is the SHA-256 of a certificate chain as it was sent.
using ChainDigest = std::array<uint8_t, 32>;

ChainDigest DigestOf(const std::vector<Der> &chain);

// VerifiedChain is what a successful verification found out.
struct VerifiedChain {
  PeerIdentity peer;
  Validity validity;  // in which every certificate of the path is valid
};

// VerifiedChains remembers chains that led to an authority. Only those enter,
// so that a stranger can neither fill it nor push anything out. Thread-safe;
// the shards keep the threads of different flows apart.
class VerifiedChains {
 public:
  // 4096 chains (a few hundred bytes each) are the peers that a busy node talks
  // to; a chain beyond that pushes out the oldest of its shard and costs a
  // verification of about 100 microseconds when it comes again.
  static constexpr size_t kShards = 16;
  static constexpr size_t kMaxPerShard = 256;

  std::optional<VerifiedChain> Find(const ChainDigest &digest) const;
  void Insert(const ChainDigest &digest, VerifiedChain chain);
  size_t size() const;

 private:
  struct Shard {
    mutable absl::Mutex mutex;
    absl::flat_hash_map<ChainDigest, VerifiedChain> chains
        ABSL_GUARDED_BY(mutex);
    std::deque<ChainDigest> oldest_first ABSL_GUARDED_BY(mutex);
  };

  std::array<Shard, kShards> shards_;
};

}  // namespace kith
