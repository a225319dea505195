// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

namespace kith {

// Secret owns key material: its pages are locked in memory (mlock), excluded
// from core dumps (MADV_DONTDUMP) and from children (MADV_WIPEONFORK), and
// wiped before they are released. It cannot be copied, printed or compared.
// Small secrets share pages, so that the locked memory of a process stays far
// below an ordinary RLIMIT_MEMLOCK of 8 MiB.
class Secret {
 public:
  Secret() = default;
  Secret(Secret &&other) noexcept;
  Secret &operator=(Secret &&other) noexcept;
  Secret(const Secret &) = delete;
  Secret &operator=(const Secret &) = delete;
  ~Secret();

  // Create returns `size` zero bytes; ResourceExhausted if memory cannot be
  // locked (the message names RLIMIT_MEMLOCK).
  static absl::StatusOr<Secret> Create(size_t size);

  // CopyFrom returns a Secret with the bytes of `from`; the caller must wipe
  // `from`.
  static absl::StatusOr<Secret> CopyFrom(std::span<const uint8_t> from);

  std::span<uint8_t> bytes() { return {bytes_, size_}; }
  std::span<const uint8_t> bytes() const { return {bytes_, size_}; }
  bool empty() const { return size_ == 0; }

 private:
  Secret(uint8_t *bytes, size_t size) : bytes_(bytes), size_(size) {}
  void Wipe();

  uint8_t *bytes_ = nullptr;
  size_t size_ = 0;
};

}  // namespace kith
