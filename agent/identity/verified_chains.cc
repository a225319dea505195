// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/verified_chains.h"

#include <utility>

#include <openssl/sha.h>

namespace kith {

ChainDigest DigestOf(const std::vector<Der> &chain) {
  SHA256_CTX sha{};
  SHA256_Init(&sha);
  for (const Der &der : chain) {
    // The lengths make the sequence unambiguous.
    const uint64_t length = der.size();
    SHA256_Update(&sha, &length, sizeof length);
    SHA256_Update(&sha, der.data(), der.size());
  }
  ChainDigest digest{};
  SHA256_Final(digest.data(), &sha);
  return digest;
}

std::optional<VerifiedChain> VerifiedChains::Find(
    const ChainDigest &digest) const {
  const Shard &shard = shards_[digest[0] % kShards];
  absl::ReaderMutexLock lock(&shard.mutex);
  const auto found = shard.chains.find(digest);
  if (found == shard.chains.end()) {
    return std::nullopt;
  }
  return found->second;
}

void VerifiedChains::Insert(const ChainDigest &digest, VerifiedChain chain) {
  Shard &shard = shards_[digest[0] % kShards];
  absl::MutexLock lock(&shard.mutex);
  if (!shard.chains.insert_or_assign(digest, std::move(chain)).second) {
    return;
  }
  shard.oldest_first.push_back(digest);
  if (shard.oldest_first.size() > kMaxPerShard) {
    shard.chains.erase(shard.oldest_first.front());
    shard.oldest_first.pop_front();
  }
}

size_t VerifiedChains::size() const {
  size_t size = 0;
  for (const Shard &shard : shards_) {
    absl::ReaderMutexLock lock(&shard.mutex);
    size += shard.chains.size();
  }
  return size;
}

}  // namespace kith
