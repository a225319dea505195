// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/identity/trust_bundle.h"

namespace kith {

// The type of all resources, as Any spells it.
inline constexpr char kSecretType[] =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

// SecretNames are the resources that a client wants: the named ones, and with
// `all` every resource that it may have (the wildcard of xDS).
struct SecretNames {
  std::set<std::string> names;
  bool all = false;
};

// SecretResource is one resource of Envoy's secret discovery service. Names are
// as in SPIRE.
struct SecretResource {
  enum class Kind {
    kCertificate,  // the SVID: its SPIFFE ID, or "default"
    kAuthorities,  // of one trust domain: its SPIFFE ID; the own one "ROOTCA"
    kAllDomains,   // "ALL": each domain with its own authorities
  };
  std::string name;
  Kind kind = Kind::kCertificate;
  std::string trust_domain = {};  // of kAuthorities
};

// FindSecrets returns the resources that `names` mean for a workload with this
// SPIFFE ID, sorted by name. The workload may have the SVID and the authorities
// of each domain. InvalidArgument: no resource has such a name.
// PermissionDenied: the name is the SPIFFE ID of another workload, or of a
// trust domain without a bundle here.
absl::StatusOr<std::vector<SecretResource>> FindSecrets(
    const SecretNames &wanted, const SpiffeId &id, const TrustBundle &bundle);

}  // namespace kith
