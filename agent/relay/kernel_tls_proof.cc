// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/kernel_tls_proof.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "absl/strings/str_cat.h"

#include "agent/handshake/suite_name.h"
#include "agent/relay/kernel_tls_prover.h"
#include "agent/runtime/loopback_pair.h"

namespace kith {
namespace {

using Step = absl::Status (KernelTlsProver::*)();

constexpr std::array<uint16_t, 3> kSuites = {0x1301, 0x1302, 0x1303};

absl::Status Prove(uint16_t suite, std::initializer_list<Step> steps) {
  auto prover = KernelTlsProver::Create(suite);
  if (!prover.ok()) {
    return prover.status();
  }
  for (Step step : steps) {
    if (absl::Status status = ((*prover).*step)(); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status ProveSuite(uint16_t suite) {
  return Prove(suite,
               {&KernelTlsProver::ProveSending,
                &KernelTlsProver::ProveReceiving,
                &KernelTlsProver::ProveEnd});
}

absl::Status ProveRekey(uint16_t suite) {
  return Prove(suite,
               {&KernelTlsProver::ProveSending,
                &KernelTlsProver::ProveReceiving,
                &KernelTlsProver::ProveRekey});
}

}  // namespace

bool KernelTlsProof::Carries(uint16_t suite) const {
  return std::ranges::any_of(suites, [suite](const Suite &each) {
    return each.number == suite && each.result.ok();
  });
}

bool KernelTlsProof::CarriesAny() const {
  return std::ranges::any_of(
      suites, [](const Suite &each) { return each.result.ok(); });
}

absl::Status KernelTlsProof::Problem() const {
  for (const Suite &each : suites) {
    if (!each.result.ok()) {
      return {
          each.result.code(),
          absl::StrCat(SuiteName(each.number), ": ", each.result.message())};
    }
  }
  return absl::OkStatus();
}

KernelTlsProof ProveKernelTls() {
  KernelTlsProof proof;
  absl::Status entered = InOwnNetns([&proof] {
    for (uint16_t suite : kSuites) {
      proof.suites.push_back({suite, ProveSuite(suite)});
    }
    proof.rekey = ProveRekey(kSuites[0]);
    return absl::OkStatus();
  });
  if (!entered.ok()) {
    proof.suites.push_back({kSuites[0], entered});
    proof.rekey = entered;
  }
  return proof;
}

}  // namespace kith
