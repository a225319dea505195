// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kith/endpoint.h"
#include "kith/spiffe_id.h"

namespace kith {

// TlsMode is `connection.tls.mode` of a resource document.
enum class TlsMode { kMutual, kPermissive, kDisable };

// SelectorTerm is one key of a selector map. A list of values means "any of".
// Aliases (`unix:uid:1000`) are already rewritten to our keys (process:uid).
struct SelectorTerm {
  std::string key;
  std::vector<std::string> values;

  bool operator==(const SelectorTerm &) const = default;
};

// SelectorMap is satisfied when all of its terms are.
using SelectorMap = std::vector<SelectorTerm>;

// AllowedPeers is a list of SPIFFE IDs; "spiffe://td/a/*" allows the IDs below
// a path. Absent means every identity of the own trust domain; empty, nobody.
using AllowedPeers = std::optional<std::vector<std::string>>;

// AlpnNames are names of application protocols (RFC 7301), in order of
// preference.
using AlpnNames = std::vector<std::string>;

// TlsChoice is `connection.tls` of a document or of one of its rules. Absent
// values come from the level above.
struct TlsChoice {
  std::optional<TlsMode> mode;
  // Names that may be selected from a client's offer, or that are offered
  // beside "kith/1"; empty: none.
  std::optional<AlpnNames> alpn;

  bool operator==(const TlsChoice &) const = default;
};

// EgressRule applies to destinations of Services whose labels it selects.
struct EgressRule {
  std::vector<SelectorMap> service_labels;  // any of
  std::optional<SpiffeId> workload_id;      // the one peer expected there
  TlsChoice tls;
  AllowedPeers allowed;

  bool operator==(const EgressRule &) const = default;
};

// IngressRule overrides mode and peers for destination ports it selects.
struct IngressRule {
  std::vector<SelectorMap> selectors;  // any of; destination:port only
  TlsChoice tls;
  AllowedPeers allowed;

  bool operator==(const IngressRule &) const = default;
};

// TokenFile is a JWT-SVID in a file.
struct TokenFile {
  std::string name;
  std::vector<std::string> audience;

  bool operator==(const TokenFile &) const = default;
};

// WorkloadIdentity is one document: which processes get which SPIFFE ID, and
// how their flows are wrapped.
struct WorkloadIdentity {
  std::string name;    // metadata.namespace + "/" + metadata.name, or the name
  std::string origin;  // "file:line" for messages
  SpiffeId spiffe_id;
  std::vector<SelectorMap> selectors;  // any of
  std::vector<std::string> dns_names;
  std::optional<std::chrono::seconds> svid_ttl;
  std::string x509_files;  // directory of svid.x509.files; empty: none
  std::string jwt_files;   // directory of svid.jwt.files; may be the same
  std::vector<TokenFile> tokens;
  TlsMode mode = TlsMode::kMutual;
  std::optional<AlpnNames> alpn;  // selected from what clients offer
  AllowedPeers allowed_inbound;
  AllowedPeers allowed_outbound;
  // Foreign trust domains whose identities may be peers; sorted.
  std::vector<std::string> federates_with;
  std::vector<EgressRule> egress;
  std::vector<IngressRule> ingress;

  bool operator==(const WorkloadIdentity &) const = default;
};

// ServiceAddress is one destination; port 0 means every port.
struct ServiceAddress {
  Prefix network;
  uint16_t port = 0;

  bool operator==(const ServiceAddress &) const = default;
};

// Service names destinations.
struct Service {
  std::string name;
  std::string origin;
  std::vector<SelectorTerm> labels;  // one value each
  std::vector<ServiceAddress> addresses;
  std::optional<SpiffeId> workload_id;  // the workload that answers there
  AlpnNames alpn;  // of the protocol spoken there, offered beside "kith/1"
  bool external = false;

  bool operator==(const Service &) const = default;
};

// ResourceSet is one consistent, validated load of all documents. Immutable.
struct ResourceSet {
  uint64_t generation = 0;  // grows with every load that changed something
  std::vector<std::shared_ptr<const WorkloadIdentity>> identities;
  std::vector<std::shared_ptr<const Service>> services;
  // Accepted input without effect in this version, "file:line: ...".
  std::vector<std::string> warnings;
};

}  // namespace kith
