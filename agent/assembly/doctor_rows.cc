// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/doctor_rows.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/checkpoint/secret_memfd.h"
#include "agent/datapath/grant_proof.h"
#include "agent/flow/outer_path.h"
#include "agent/handshake/suite_name.h"
#include "agent/runtime/loopback_pair.h"

namespace kith {
namespace {

constexpr char kGrantsProven[] =
    "a socket of another process was counted right, and ended";

Feature Row(std::string name,
            const char *needed,
            const absl::Status &result,
            const char *proven = kKernelTlsProven) {
  return {.name = std::move(name),
          .needed = needed,
          .found = result.ok(),
          .detail = result.ok() ? proven : std::string(result.message())};
}

}  // namespace

std::vector<Feature> PathRows(const KernelTlsProof &proof) {
  std::vector<Feature> rows;
  for (const KernelTlsProof::Suite &suite : proof.suites) {
    rows.push_back(Row(absl::StrCat("ktls ", SuiteName(suite.number)),
                       "path ktls",
                       suite.result));
  }
  rows.push_back(
      Row("ktls KeyUpdate", "rekey on path ktls (Linux 6.14)", proof.rekey));
  return rows;
}

Feature SameNodeRow() {
  return Row("same-node join",
             "datapath.sameNode: direct; else such flows are encrypted",
             InOwnNetns(ProveGrants),
             kGrantsProven);
}

Feature FlowStoreRow() {
  return Row("memfd_secret",
             "datapath.flowStore: systemd; else open flows die with the agent",
             SecretMemfd::Create().status(),
             "secrets can outlive a process");
}

}  // namespace kith
