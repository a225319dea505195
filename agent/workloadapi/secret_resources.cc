// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/secret_resources.h"

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

using Kind = SecretResource::Kind;

constexpr char kDefault[] = "default";
constexpr char kRootCa[] = "ROOTCA";
constexpr char kAll[] = "ALL";

std::string IdOfDomain(const std::string &trust_domain) {
  return absl::StrCat("spiffe://", trust_domain);
}

absl::StatusOr<SecretResource> FindSecret(const std::string &name,
                                          const SpiffeId &id,
                                          const TrustBundle &bundle) {
  if (name == kDefault || name == id.uri()) {
    return SecretResource{name, Kind::kCertificate};
  }
  if (name == kRootCa) {
    return SecretResource{
        name, Kind::kAuthorities, std::string(id.trust_domain())};
  }
  if (name == kAll) {
    return SecretResource{name, Kind::kAllDomains};
  }
  for (const Authorities &domain : bundle.authorities()) {
    if (name == IdOfDomain(domain.trust_domain)) {
      return SecretResource{name, Kind::kAuthorities, domain.trust_domain};
    }
  }
  if (SpiffeId::Parse(name).ok()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "the caller is ", id.uri(), ", and may not be or know ", name));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no secret of the name '",
                   name,
                   "'; there are ",
                   kDefault,
                   ", ",
                   kRootCa,
                   ", ",
                   kAll,
                   ", the SPIFFE ID of the caller and those of trust domains"));
}

}  // namespace

absl::StatusOr<std::vector<SecretResource>> FindSecrets(
    const SecretNames &wanted, const SpiffeId &id, const TrustBundle &bundle) {
  std::set<std::string> names = wanted.names;
  if (wanted.all) {
    names.emplace(id.uri());
    for (const Authorities &domain : bundle.authorities()) {
      names.insert(IdOfDomain(domain.trust_domain));
    }
  }
  std::vector<SecretResource> found;
  for (const std::string &name : names) {
    auto resource = FindSecret(name, id, bundle);
    if (!resource.ok()) {
      return resource.status();
    }
    found.push_back(*std::move(resource));
  }
  return found;
}

}  // namespace kith
