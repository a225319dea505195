// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/outer_path.h"

#include "absl/strings/str_cat.h"

#include "agent/datapath/features.h"

namespace kith {
namespace {

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
        kKernelTlsProven,
        proof.rekey.ok() ? "" : "; it sends only, for it cannot change keys");
    return OuterPath{
        .name = "ktls", .reason = std::move(reason), .proof = std::move(proof)};
  }
  std::string why(proof.Problem().message());
  if (wanted == DatapathChoice::kKtls) {
    // Without the capabilities that every start needs, the proof cannot work.
    if (absl::Status capable = CheckRequirements(); !capable.ok()) {
      return capable;
    }
    return absl::FailedPreconditionError(
        absl::StrCat("datapath.path is ktls, but ", why));
  }
  return InAgent(std::move(why), std::move(proof));
}

}  // namespace kith
