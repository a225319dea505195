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

// SecretNames are the resources that a client wants: these, and with `all`
// whatever it may have (the wildcard of xDS).
struct SecretNames {
  std::set<std::string> names;
  bool all = false;
};

// SecretResource is one resource of Envoy's secret discovery service. Names are
// those that SPIRE gives them.
struct SecretResource {
  enum class Kind {
    kCertificate,  // the SVID: its SPIFFE ID, or "default"
    kAuthorities,  // of one trust domain: its SPIFFE ID; the own one "ROOTCA"
    kAllDomains,   // "ALL": each domain by itself
  };
  std::string name;
  Kind kind = Kind::kCertificate;
  std::string trust_domain = {};  // of kAuthorities
};

// FindSecrets returns the resources that are meant when a workload with this
// SPIFFE ID asks, sorted by name; all it may have are the SVID and the
// authorities of each domain. InvalidArgument: there is no such name.
// PermissionDenied: it is the SPIFFE ID of another workload, or of a trust
// domain without a bundle here.
absl::StatusOr<std::vector<SecretResource>> FindSecrets(
    const SecretNames &wanted, const SpiffeId &id, const TrustBundle &bundle);

}  // namespace kith
