// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/secret_arena.h"

#include <string.h>
#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace kith {

SecretArena &SecretArena::Instance() {
  static auto *arena = new SecretArena;
  return *arena;
}

SecretArena::SecretArena() {
  void *mapping = ::mmap(nullptr,
                         kBytes,
                         PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS,
                         -1,
                         0);
  if (mapping == MAP_FAILED) {
    broken_ = absl::ErrnoToStatus(errno, "mmap of memory for secrets");
    return;
  }
  for (int advice : {MADV_DONTDUMP, MADV_WIPEONFORK}) {
    if (::madvise(mapping, kBytes, advice) != 0) {
      broken_ = absl::ErrnoToStatus(
          errno, absl::StrCat("madvise(", advice, ") of memory for secrets"));
      (void)::munmap(mapping, kBytes);
      return;
    }
  }
  base_ = static_cast<uint8_t *>(mapping);
}

size_t SecretArena::ClassBits(size_t size) {
  size_t bits = std::bit_width(size == 0 ? 0 : size - 1);
  return bits < kSmallestBits ? kSmallestBits : bits;
}

size_t SecretArena::IndexOf(const void *piece) const {
  return (static_cast<const uint8_t *>(piece) - base_) / kMaxPiece;
}

absl::Status SecretArena::LockChunk(size_t index) {
  if (index < locked_chunks_) {
    return absl::OkStatus();
  }
  if (::mlock(base_ + index * kMaxPiece, kMaxPiece) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("mlock of memory for secrets: ",
                     ::strerrordesc_np(errno),
                     " (raise RLIMIT_MEMLOCK to ",
                     kBytes,
                     " bytes or grant CAP_IPC_LOCK)"));
  }
  locked_chunks_ = index + 1;
  return absl::OkStatus();
}

absl::StatusOr<size_t> SecretArena::FindChunk(size_t bits) {
  size_t unused = kChunks;
  for (size_t i = 0; i < kChunks; ++i) {
    const Chunk &chunk = chunks_[i];
    if (chunk.used > 0 && chunk.bits == bits && !chunk.free.empty()) {
      return i;
    }
    if (chunk.used == 0 && unused == kChunks) {
      unused = i;
    }
  }
  if (unused == kChunks) {
    return absl::ResourceExhaustedError(
        absl::StrCat("memory for secrets: all ", kBytes, " bytes are in use"));
  }
  if (absl::Status locked = LockChunk(unused); !locked.ok()) {
    return locked;
  }
  Chunk &chunk = chunks_[unused];
  const size_t pieces = kMaxPiece >> bits;
  chunk.bits = static_cast<uint8_t>(bits);
  chunk.free.resize(pieces);  // Free never has to allocate
  std::iota(chunk.free.rbegin(), chunk.free.rend(), uint16_t{0});
  return unused;
}

absl::StatusOr<uint8_t *> SecretArena::Allocate(size_t size) {
  if (base_ == nullptr) {
    return broken_;
  }
  if (size > kMaxPiece) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a secret of ", size, " bytes is above ", kMaxPiece));
  }
  const size_t bits = ClassBits(size);
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<size_t> index = FindChunk(bits);
  if (!index.ok()) {
    return index.status();
  }
  Chunk &chunk = chunks_[*index];
  const size_t number = chunk.free.back();
  chunk.free.pop_back();
  ++chunk.used;
  return base_ + *index * kMaxPiece + (number << bits);
}

void SecretArena::Free(void *piece) {
  absl::MutexLock lock(&mutex_);
  const size_t index = IndexOf(piece);
  Chunk &chunk = chunks_[index];
  // The compiler may not drop explicit_bzero.
  ::explicit_bzero(piece, size_t{1} << chunk.bits);
  const size_t offset =
      static_cast<uint8_t *>(piece) - (base_ + index * kMaxPiece);
  chunk.free.push_back(static_cast<uint16_t>(offset >> chunk.bits));
  --chunk.used;
}

size_t SecretArena::SizeOf(const void *piece) const {
  absl::MutexLock lock(&mutex_);
  return size_t{1} << chunks_[IndexOf(piece)].bits;
}

size_t SecretArena::locked_bytes() const {
  absl::MutexLock lock(&mutex_);
  return locked_chunks_ * kMaxPiece;
}

}  // namespace kith
