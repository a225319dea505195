// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/outer_path.h"

#include "absl/strings/str_cat.h"

#include "agent/checkpoint/secret_memfd.h"
#include "agent/datapath/features.h"
#include "agent/datapath/grant_proof.h"
#include "agent/handshake/suite_name.h"
#include "agent/runtime/loopback_pair.h"

namespace kith {
namespace {

constexpr char kProven[] = "only TLS records left an armed socket";
constexpr char kGrantsProven[] =
    "a socket of another process was counted right, and ended";

Feature Row(std::string name,
            const char *needed,
            const absl::Status &result,
            const char *proven = kProven) {
  return {.name = std::move(name),
          .needed = needed,
          .found = result.ok(),
          .detail = result.ok() ? proven : std::string(result.message())};
}

OuterPath InAgent(std::string reason, KernelTlsProof proof) {
  return {.name = "userspace",
          .reason = std::move(reason),
          .proof = std::move(proof)};
}

}  // namespace

absl::StatusOr<OuterPath> FindOuterPath(DatapathChoice wanted) {
  if (wanted == DatapathChoice::kUserspace) {
    return InAgent("datapath.path is userspace", {});
  }
  KernelTlsProof proof = ProveKernelTls();
  if (proof.CarriesAny()) {
    std::string reason = absl::StrCat(
        "proven at start: ",
        kProven,
        proof.rekey.ok() ? "" : "; it sends only, for it cannot change keys");
    return OuterPath{
        .name = "ktls", .reason = std::move(reason), .proof = std::move(proof)};
  }
  std::string why(proof.Problem().message());
  if (wanted == DatapathChoice::kKtls) {
    // Without the capabilities that everything needs, the proof cannot work.
    if (absl::Status capable = CheckRequirements(); !capable.ok()) {
      return capable;
    }
    return absl::FailedPreconditionError(
        absl::StrCat("datapath.path is ktls, but ", why));
  }
  return InAgent(std::move(why), std::move(proof));
}

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
             "datapath.sameNode: sockmap; else such flows are encrypted",
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
