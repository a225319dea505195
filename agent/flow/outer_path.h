// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/datapath/datapath.h"
#include "agent/relay/kernel_tls_proof.h"

namespace kith {

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

// PathRows are the rows of `kith doctor` about the proof.
std::vector<Feature> PathRows(const KernelTlsProof &proof);

// SameNodeRow tries what direct flows need, in a network namespace of its own,
// and says in a row of `kith doctor` whether this kernel does it right.
Feature SameNodeRow();

// FlowStoreRow says whether this kernel has memory for secrets that outlives a
// process.
Feature FlowStoreRow();

}  // namespace kith
