// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "agent/datapath/features.h"
#include "agent/relay/kernel_tls_proof.h"

namespace kith {

// PathRows are the rows of `kith doctor` about the proof.
std::vector<Feature> PathRows(const KernelTlsProof &proof);

// SameNodeRow tries what direct flows need, in a network namespace of its own,
// and says in a row of `kith doctor` whether this kernel does it right.
Feature SameNodeRow();

// FlowStoreRow says whether this kernel has memory for secrets that outlives a
// process.
Feature FlowStoreRow();

}  // namespace kith
