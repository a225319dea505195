// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace kith {

// KernelTlsProof records what this kernel's TLS was seen to do. Well-known
// designs leak plaintext on some kernels, so that a version proves nothing.
struct KernelTlsProof {
  struct Suite {
    uint16_t number = 0;  // RFC 8446 appendix B.4
    absl::Status result;  // OK: nothing but whole TLS records left
  };
  std::vector<Suite> suites;
  absl::Status rekey;  // OK: the kernel changes keys (KeyUpdate)

  bool Carries(uint16_t suite) const;
  bool CarriesAny() const;
  // Problem returns why no suite, or else not every suite, is carried.
  absl::Status Problem() const;
};

// ProveKernelTls arms a connection in a new network namespace, sends a marker
// both ways, and checks the bytes that leave. It takes some milliseconds and
// needs CAP_SYS_ADMIN.
KernelTlsProof ProveKernelTls();

}  // namespace kith
