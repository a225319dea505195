// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/identity/trust_bundle.h"
#include "agent/identity/x509_svid.h"
#include "agent/workloadapi/grpc_message.h"

namespace kith {

// The type of all resources, as Any spells it.
inline constexpr char kSecretType[] =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

// SecretResource is one resource of Envoy's secret discovery service. Names are
// those that SPIRE gives them.
struct SecretResource {
  enum class Kind {
    kCertificate,  // the SVID: its SPIFFE ID, or "default"
    kAuthorities,  // of one trust domain: its SPIFFE ID; the own one "ROOTCA"
    kAllDomains,   // "ALL": Envoy's SPIFFE validator, each domain by itself
  };
  std::string name;
  Kind kind = Kind::kCertificate;
  std::string trust_domain;  // of kAuthorities
};

// FindSecrets returns the resources that `names` mean to a workload with this
// SPIFFE ID; without names, the SVID and the authorities of each domain.
// InvalidArgument: there is no such name. PermissionDenied: it is the SPIFFE ID
// of another workload, or of a trust domain without a bundle here.
absl::StatusOr<std::vector<SecretResource>> FindSecrets(
    const std::set<std::string> &names,
    const SpiffeId &id,
    const TrustBundle &bundle);

// SecretsResponse returns the DiscoveryResponse; `version` is the nonce, too.
// `svid` may be null if no resource is a certificate.
absl::StatusOr<std::shared_ptr<const GrpcMessage>> SecretsResponse(
    const std::vector<SecretResource> &resources,
    const std::string &version,
    const X509Svid *svid,
    const TrustBundle &bundle);

}  // namespace kith
