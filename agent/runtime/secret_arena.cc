// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/secret_arena.h"

#include <string.h>
#include <sys/mman.h>

#include <bit>
#include <cerrno>

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

size_t SecretArena::ChunkOf(const void *piece) const {
  return (static_cast<const uint8_t *>(piece) - base_) / kMaxPiece;
}

absl::Status SecretArena::AddChunk(size_t bits) {
  if (used_chunks_ == kChunks) {
    return absl::ResourceExhaustedError(
        absl::StrCat("memory for secrets: all ", kBytes, " bytes are in use"));
  }
  uint8_t *chunk = base_ + used_chunks_ * kMaxPiece;
  if (::mlock(chunk, kMaxPiece) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("mlock of memory for secrets: ",
                     ::strerrordesc_np(errno),
                     " (raise RLIMIT_MEMLOCK to ",
                     kBytes,
                     " bytes or grant CAP_IPC_LOCK)"));
  }
  chunk_bits_[used_chunks_++] = static_cast<uint8_t>(bits);
  std::vector<uint8_t *> &list = free_[bits];
  const size_t piece = size_t{1} << bits;
  // Room for every piece of this class, so that Free never allocates.
  list.reserve(list.capacity() + kMaxPiece / piece);
  for (size_t offset = kMaxPiece; offset > 0; offset -= piece) {
    list.push_back(chunk + offset - piece);
  }
  return absl::OkStatus();
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
  std::vector<uint8_t *> &list = free_[bits];
  if (list.empty()) {
    if (absl::Status added = AddChunk(bits); !added.ok()) {
      return added;
    }
  }
  uint8_t *piece = list.back();
  list.pop_back();
  return piece;
}

void SecretArena::Free(void *piece) {
  absl::MutexLock lock(&mutex_);
  const size_t bits = chunk_bits_[ChunkOf(piece)];
  // explicit_bzero is the wipe that the compiler may not drop.
  ::explicit_bzero(piece, size_t{1} << bits);
  free_[bits].push_back(static_cast<uint8_t *>(piece));
}

size_t SecretArena::SizeOf(const void *piece) const {
  absl::MutexLock lock(&mutex_);
  return size_t{1} << chunk_bits_[ChunkOf(piece)];
}

size_t SecretArena::locked_bytes() const {
  absl::MutexLock lock(&mutex_);
  return used_chunks_ * kMaxPiece;
}

}  // namespace kith
