// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace kith {

// KernelTlsProof is what this kernel's TLS was seen to do. Well-known designs
// leak plaintext on some kernels, so that a version number proves nothing.
struct KernelTlsProof {
  struct Suite {
    uint16_t number = 0;  // RFC 8446 appendix B.4
    absl::Status result;  // OK: nothing but whole TLS records left
  };
  std::vector<Suite> suites;
  absl::Status rekey;  // OK: the kernel changes keys (KeyUpdate)

  bool Carries(uint16_t suite) const;
  bool CarriesAny() const;
  // Problem returns why no suite, or else not every one, is carried.
  absl::Status Problem() const;
};

// ProveKernelTls arms a connection in a network namespace of its own, sends a
// marker both ways, and looks at the bytes that leave. Takes some milliseconds;
// needs CAP_SYS_ADMIN.
KernelTlsProof ProveKernelTls();

}  // namespace kith
