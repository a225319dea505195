// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/config/config.h"
#include "agent/relay/kernel_tls_proof.h"

namespace kith {

// kKernelTlsProven tells a person the result of the kernel TLS proof.
inline constexpr char kKernelTlsProven[] =
    "only TLS records left an armed socket";

// OuterPath says who makes the records of outer sockets on this machine: the
// kernel ("ktls"), or the agent ("userspace").
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
