// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/config/config.h"
#include "agent/relay/kernel_tls_proof.h"

namespace kith {

// What a proof of the kernel's TLS has shown, for a person.
inline constexpr char kKernelTlsProven[] =
    "only TLS records left an armed socket";

// OuterPath is how the records of outer sockets are made on this machine: by
// the kernel ("ktls"), or in the agent ("userspace").
struct OuterPath {
  std::string name;
  std::string reason;
  KernelTlsProof proof;

  bool in_kernel() const { return name == "ktls"; }
};

// FindOuterPath tries the kernel's TLS unless `wanted` is kUserspace.
// FailedPrecondition if only ktls is wanted and no suite passes the proof.
absl::StatusOr<OuterPath> FindOuterPath(DatapathChoice wanted);

}  // namespace kith
