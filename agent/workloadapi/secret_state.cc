// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/secret_state.h"

#include <algorithm>
#include <utility>

#include "agent/identity/certificate_pem.h"
#include "agent/identity/sha256.h"
#include "agent/workloadapi/validation_context.h"

namespace kith {
namespace {

using Kind = SecretResource::Kind;

bool IsCertificate(const SecretResource &resource) {
  return resource.kind == Kind::kCertificate;
}

SecretState StateOf(const SecretResource &resource,
                    const std::shared_ptr<const X509Svid> &svid,
                    const TrustBundle &bundle) {
  if (resource.kind == Kind::kCertificate) {
    return {resource.name,
            Sha256Hex(CertificatesPem(svid->chain())),
            svid,
            std::string()};
  }
  std::string context = resource.kind == Kind::kAllDomains
                            ? ContextOfAll(bundle)
                            : ContextOfDomain(bundle, resource.trust_domain);
  return {resource.name, Sha256Hex(context), nullptr, std::move(context)};
}

}  // namespace

absl::StatusOr<std::vector<SecretState>> CurrentSecrets(
    const SecretNames &wanted, const SpiffeId &id, WorkloadApiSource &source) {
  const auto bundle = source.bundle(id);
  if (bundle == nullptr) {
    return absl::UnavailableError("the trust bundle is not there yet");
  }
  auto resources = FindSecrets(wanted, id, *bundle);
  if (!resources.ok()) {
    return resources.status();
  }
  std::shared_ptr<const X509Svid> svid;
  if (std::ranges::any_of(*resources, IsCertificate)) {
    auto current = source.GetX509Svid(id);
    if (!current.ok()) {
      return current.status();
    }
    svid = *std::move(current);
  }
  std::vector<SecretState> secrets;
  for (const SecretResource &resource : *resources) {
    secrets.push_back(StateOf(resource, svid, *bundle));
  }
  return secrets;
}

}  // namespace kith
