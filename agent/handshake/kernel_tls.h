// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kith {

// RawTrafficKey is the expansion of a traffic secret (RFC 8446 section 7.3),
// wiped on destruction. It lives on the stack while it is passed on.
struct RawTrafficKey {
  static constexpr size_t kIvLength = 12;

  RawTrafficKey() = default;
  RawTrafficKey(const RawTrafficKey &) = delete;
  RawTrafficKey &operator=(const RawTrafficKey &) = delete;
  ~RawTrafficKey();

  std::span<uint8_t> key() { return std::span(key_bytes).first(key_length); }
  std::span<const uint8_t> key() const {
    return std::span(key_bytes).first(key_length);
  }

  uint16_t suite = 0;  // RFC 8446 appendix B.4
  size_t key_length = 0;
  std::array<uint8_t, 32> key_bytes{};
  std::array<uint8_t, kIvLength> iv{};
};

enum class KernelDirection { kSend, kReceive };

// AttachKernelTls gives an established TCP socket the kernel's TLS layer
// (Documentation/networking/tls.rst). The layer passes bytes unchanged until a
// key is set, and makes poll report writability by the socket's buffer alone,
// not by the machine's net.ipv4.tcp_notsent_lowat. FailedPrecondition: the
// kernel has no `tls` module.
absl::Status AttachKernelTls(int fd);

// SetKernelKey makes the kernel protect one direction from the next record on,
// whose number is `sequence`. A second key for the same direction is a
// KeyUpdate; FailedPrecondition: kernels before 6.14 cannot change keys.
absl::Status SetKernelKey(int fd,
                          KernelDirection direction,
                          const RawTrafficKey &key,
                          uint64_t sequence);

// KernelSequence returns the number of the next record that the kernel seals on
// a socket with a sending key of `suite`.
absl::StatusOr<uint64_t> KernelSequence(int fd, uint16_t suite);

}  // namespace kith
