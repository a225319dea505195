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

// VerifiedChain is the result of a successful verification.
struct VerifiedChain {
  PeerIdentity peer;
  Validity validity;  // in which every certificate of the path is valid
};

// VerifiedChains remembers chains that led to an authority. Only such chains
// enter, so that an unauthenticated peer can neither fill it nor evict others.
// Thread-safe; shards reduce contention between threads.
class VerifiedChains {
 public:
  // 4096 chains (a few hundred bytes each) are the peers of a busy node; a
  // further chain evicts the oldest of its shard, whose next verification costs
  // about 100 microseconds.
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
