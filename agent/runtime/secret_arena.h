// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace kith {

// SecretArena is the memory behind every Secret and behind the private keys of
// the crypto library (identity/key_memory.h): one mapping per process, excluded
// from core dumps and wiped in forked children (madvise(2)). Its pages are
// locked when first used. A forked child reads zeros and must not use or
// destroy its parent's pieces; the agent forks only to exec. Thread-safe.
class SecretArena {
 public:
  // The bound of the locked memory: half of the usual RLIMIT_MEMLOCK of 8 MiB,
  // and room for ten thousand P-256 keys (about 360 bytes each).
  static constexpr size_t kBytes = size_t{4} << 20;
  // The largest piece. Keys, PEM texts and traffic secrets are far smaller.
  static constexpr size_t kMaxPiece = size_t{64} << 10;

  // Instance returns the arena of the process, which lives until its end:
  // thread-local state of libraries may be freed after static destructors.
  static SecretArena &Instance();

  SecretArena(const SecretArena &) = delete;
  SecretArena &operator=(const SecretArena &) = delete;

  // Allocate returns `size` zero bytes, aligned to 32 bytes. ResourceExhausted
  // when the arena is full or the kernel refuses to lock more memory.
  absl::StatusOr<uint8_t *> Allocate(size_t size);

  // Free wipes a piece and makes its memory available again.
  void Free(void *piece);

  bool Contains(const void *address) const {
    const auto *byte = static_cast<const uint8_t *>(address);
    return byte >= base_ && byte < base_ + kBytes;
  }

  // SizeOf returns the usable bytes of a piece.
  size_t SizeOf(const void *piece) const;

  size_t locked_bytes() const;

 private:
  // A chunk holds pieces of one size, a power of two, while one of them is in
  // use. The lists are kept outside of the mapping, which a fork wipes.
  struct Chunk {
    uint8_t bits = 0;
    size_t used = 0;
    std::vector<uint16_t> free;  // numbers of pieces
  };
  static constexpr size_t kChunks = kBytes / kMaxPiece;
  static constexpr size_t kSmallestBits = 5;
  static constexpr size_t kLargestBits = 16;
  static_assert(size_t{1} << kLargestBits == kMaxPiece);

  SecretArena();
  ~SecretArena() = default;
  static size_t ClassBits(size_t size);
  size_t IndexOf(const void *piece) const;
  // FindChunk returns a chunk with a free piece of the class, or a fresh one.
  absl::StatusOr<size_t> FindChunk(size_t bits)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LockChunk(size_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  uint8_t *base_ = nullptr;  // null: the mapping failed, `broken_` says why
  absl::Status broken_;
  mutable absl::Mutex mutex_;
  std::array<Chunk, kChunks> chunks_ ABSL_GUARDED_BY(mutex_);
  size_t locked_chunks_ ABSL_GUARDED_BY(mutex_) = 0;  // the first ones
};

}  // namespace kith
