// SPDX-License-Identifier: Apache-2.0
#include "kith/secret.h"

#include <algorithm>
#include <utility>

#include "agent/runtime/secret_arena.h"

namespace kith {

Secret::Secret(Secret &&other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Secret &Secret::operator=(Secret &&other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::exchange(other.bytes_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() {
  Wipe();
}

void Secret::Wipe() {
  if (bytes_ != nullptr) {
    SecretArena::Instance().Free(bytes_);
  }
  bytes_ = nullptr;
  size_ = 0;
}

absl::StatusOr<Secret> Secret::Create(size_t size) {
  if (size == 0) {
    return Secret();
  }
  absl::StatusOr<uint8_t *> bytes = SecretArena::Instance().Allocate(size);
  if (!bytes.ok()) {
    return bytes.status();
  }
  return Secret(*bytes, size);
}

absl::StatusOr<Secret> Secret::CopyFrom(std::span<const uint8_t> from) {
  absl::StatusOr<Secret> secret = Create(from.size());
  if (secret.ok()) {
    std::ranges::copy(from, secret->bytes().begin());
  }
  return secret;
}

}  // namespace kith
