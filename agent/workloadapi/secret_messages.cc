// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/secret_messages.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/identity/certificate_pem.h"
#include "agent/identity/private_key.h"
#include "agent/workloadapi/wire_field.h"

namespace kith {
namespace {

using Kind = SecretResource::Kind;

// Field numbers of Envoy's API, version 3:
// envoy/service/discovery/v3/discovery.proto, DiscoveryResponse
constexpr uint32_t kVersionInfo = 1;
constexpr uint32_t kResources = 2;
constexpr uint32_t kTypeUrl = 4;
constexpr uint32_t kNonce = 5;
// google/protobuf/any.proto
constexpr uint32_t kAnyType = 1;
constexpr uint32_t kAnyValue = 2;
// envoy/extensions/transport_sockets/tls/v3/secret.proto, Secret
constexpr uint32_t kName = 1;
constexpr uint32_t kTlsCertificate = 2;
constexpr uint32_t kValidationContext = 4;
// .../tls/v3/common.proto, TlsCertificate and CertificateValidationContext
constexpr uint32_t kCertificateChain = 1;
constexpr uint32_t kPrivateKey = 2;
constexpr uint32_t kTrustedCa = 1;
constexpr uint32_t kCustomValidator = 12;
// envoy/config/core/v3/base.proto, DataSource; extension.proto,
// TypedExtensionConfig
constexpr uint32_t kInlineBytes = 2;
constexpr uint32_t kExtensionName = 1;
constexpr uint32_t kExtensionConfig = 2;
// .../tls/v3/tls_spiffe_validator_config.proto
constexpr uint32_t kTrustDomains = 1;
constexpr uint32_t kDomainName = 1;
constexpr uint32_t kDomainBundle = 2;

constexpr char kValidatorName[] = "envoy.tls.cert_validator.spiffe";
constexpr char kValidatorType[] =
    "type.googleapis.com/"
    "envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";

constexpr char kDefault[] = "default";
constexpr char kRootCa[] = "ROOTCA";
constexpr char kAll[] = "ALL";

std::string IdOfDomain(const std::string &trust_domain) {
  return absl::StrCat("spiffe://", trust_domain);
}

const Authorities *DomainOf(const TrustBundle &bundle,
                            const std::string &trust_domain) {
  const auto &all = bundle.authorities();
  const auto found =
      std::ranges::find(all, trust_domain, &Authorities::trust_domain);
  return found == all.end() ? nullptr : &*found;
}

absl::StatusOr<SecretResource> FindSecret(const std::string &name,
                                          const SpiffeId &id,
                                          const TrustBundle &bundle) {
  if (name == kDefault || name == id.uri()) {
    return SecretResource{name, Kind::kCertificate, ""};
  }
  if (name == kRootCa) {
    return SecretResource{
        name, Kind::kAuthorities, std::string(id.trust_domain())};
  }
  if (name == kAll) {
    return SecretResource{name, Kind::kAllDomains, ""};
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
      absl::StrCat("no secret of that name; there are ",
                   kDefault,
                   ", ",
                   kRootCa,
                   ", ",
                   kAll,
                   ", the SPIFFE ID of the caller and those of trust domains"));
}

std::string InlineBytes(std::string_view bytes) {
  return WireField(kInlineBytes, bytes);
}

std::string Context(const Authorities *domain) {
  const std::string pem =
      domain == nullptr ? "" : CertificatesPem(domain->certificates);
  return WireField(kTrustedCa, InlineBytes(pem));
}

std::string ContextOfAll(const TrustBundle &bundle) {
  std::string config;
  for (const Authorities &domain : bundle.authorities()) {
    const std::string pem = CertificatesPem(domain.certificates);
    config += WireField(kTrustDomains,
                        WireField(kDomainName, domain.trust_domain) +
                            WireField(kDomainBundle, InlineBytes(pem)));
  }
  const std::string typed =
      WireField(kAnyType, kValidatorType) + WireField(kAnyValue, config);
  return WireField(kCustomValidator,
                   WireField(kExtensionName, kValidatorName) +
                       WireField(kExtensionConfig, typed));
}

std::string ContextResource(const SecretResource &resource,
                            const TrustBundle &bundle) {
  const std::string context =
      resource.kind == Kind::kAllDomains
          ? ContextOfAll(bundle)
          : Context(DomainOf(bundle, resource.trust_domain));
  const std::string secret =
      WireField(kName, resource.name) + WireField(kValidationContext, context);
  return WireField(
      kResources,
      WireField(kAnyType, kSecretType) + WireField(kAnyValue, secret));
}

// The private key is the end of it, whichever message one looks at.
std::string OpenCertificateResource(const std::string &name,
                                    const X509Svid &svid,
                                    size_t key_size) {
  std::string open = OpenWireField(kInlineBytes, "", key_size);
  open = OpenWireField(kPrivateKey, open, key_size);
  open =
      WireField(kCertificateChain, InlineBytes(CertificatesPem(svid.chain()))) +
      open;
  open = OpenWireField(kTlsCertificate, open, key_size);
  open = WireField(kName, name) + open;
  open = OpenWireField(kAnyValue, open, key_size);
  open = WireField(kAnyType, kSecretType) + open;
  return OpenWireField(kResources, open, key_size);
}

// The texts of a message, with a key after each but the last.
absl::StatusOr<std::shared_ptr<const GrpcMessage>> Join(
    const std::vector<std::string> &texts, const Secret &key) {
  size_t size = 0;
  for (size_t i = 1; i < texts.size(); ++i) {
    size += key.bytes().size() + texts[i].size();
  }
  absl::StatusOr<Secret> rest = Secret::Create(size);
  if (!rest.ok()) {
    return rest.status();
  }
  uint8_t *out = rest->bytes().data();
  for (size_t i = 1; i < texts.size(); ++i) {
    out = std::ranges::copy(key.bytes(), out).out;
    out = std::ranges::copy(texts[i], out).out;
  }
  return std::make_shared<GrpcMessage>(texts[0], *std::move(rest));
}

}  // namespace

absl::StatusOr<std::vector<SecretResource>> FindSecrets(
    const std::set<std::string> &names,
    const SpiffeId &id,
    const TrustBundle &bundle) {
  std::set<std::string> wanted = names;
  if (names.empty()) {
    wanted.emplace(id.uri());
    for (const Authorities &domain : bundle.authorities()) {
      wanted.insert(IdOfDomain(domain.trust_domain));
    }
  }
  std::vector<SecretResource> found;
  for (const std::string &name : wanted) {
    auto resource = FindSecret(name, id, bundle);
    if (!resource.ok()) {
      return resource.status();
    }
    found.push_back(*std::move(resource));
  }
  return found;
}

absl::StatusOr<std::shared_ptr<const GrpcMessage>> SecretsResponse(
    const std::vector<SecretResource> &resources,
    const std::string &version,
    const X509Svid *svid,
    const TrustBundle &bundle) {
  absl::StatusOr<Secret> key = Secret();
  if (svid != nullptr) {
    key = EncodePrivateKey(svid->key());
  }
  if (!key.ok()) {
    return key.status();
  }
  std::vector<std::string> texts = {WireField(kVersionInfo, version) +
                                    WireField(kTypeUrl, kSecretType) +
                                    WireField(kNonce, version)};
  for (const SecretResource &resource : resources) {
    if (resource.kind == Kind::kCertificate) {
      texts.back() += OpenCertificateResource(
          resource.name, *svid, std::as_const(*key).bytes().size());
      texts.emplace_back();
    } else {
      texts.back() += ContextResource(resource, bundle);
    }
  }
  return Join(texts, *key);
}

}  // namespace kith
