// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/validation_context.h"

#include "agent/identity/certificate_pem.h"
#include "agent/workloadapi/wire_field.h"

namespace kith {
namespace {

// Field numbers of secret.proto.
constexpr uint32_t kCustomValidator = 12;
constexpr uint32_t kExtensionName = 1;
constexpr uint32_t kExtensionConfig = 2;
constexpr uint32_t kAnyType = 1;
constexpr uint32_t kAnyValue = 2;
constexpr uint32_t kTrustDomains = 1;
constexpr uint32_t kDomainName = 1;
constexpr uint32_t kDomainBundle = 2;
constexpr uint32_t kInlineBytes = 2;

constexpr char kValidatorName[] = "envoy.tls.cert_validator.spiffe";
constexpr char kValidatorType[] =
    "type.googleapis.com/"
    "envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";

// A top-level domain that nobody can have (RFC 6761 section 6.4).
constexpr char kNobody[] = "nobody.invalid";

// The validator, once it has a CRL, refuses every peer whose issuers have none:
// CRLs are usable only if each authority has one.
std::string BundlePem(const Authorities &domain) {
  std::string pem = CertificatesPem(domain.certificates);
  if (domain.crls.size() == domain.certificates.size()) {
    pem += CrlsPem(domain.crls);
  }
  return pem;
}

std::string TrustDomain(std::string_view name, const Authorities &domain) {
  return WireField(
      kTrustDomains,
      WireField(kDomainName, name) +
          WireField(kDomainBundle, WireField(kInlineBytes, BundlePem(domain))));
}

std::string Context(const std::string &trust_domains) {
  const std::string typed =
      WireField(kAnyType, kValidatorType) + WireField(kAnyValue, trust_domains);
  return WireField(kCustomValidator,
                   WireField(kExtensionName, kValidatorName) +
                       WireField(kExtensionConfig, typed));
}

// The validator must have a domain, and each domain a certificate: if no domain
// has an authority left, it gets a domain that no peer belongs to.
std::string OrNobody(std::string trust_domains, const TrustBundle &bundle) {
  for (const Authorities &domain : bundle.authorities()) {
    if (trust_domains.empty() && !domain.certificates.empty()) {
      trust_domains = TrustDomain(kNobody, domain);
    }
  }
  return trust_domains;
}

}  // namespace

std::string ContextOfDomain(const TrustBundle &bundle,
                            std::string_view trust_domain) {
  std::string found;
  for (const Authorities &domain : bundle.authorities()) {
    if (domain.trust_domain == trust_domain && !domain.certificates.empty()) {
      found = TrustDomain(domain.trust_domain, domain);
    }
  }
  return Context(OrNobody(std::move(found), bundle));
}

std::string ContextOfAll(const TrustBundle &bundle) {
  std::string all;
  for (const Authorities &domain : bundle.authorities()) {
    if (!domain.certificates.empty()) {
      all += TrustDomain(domain.trust_domain, domain);
    }
  }
  return Context(OrNobody(std::move(all), bundle));
}

}  // namespace kith
