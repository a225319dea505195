// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/types/url.h"
#include "kith/endpoint.h"
#include "kith/spiffe_id.h"

namespace kith {

// WebEndpointConfig describes where the agent serves documents over HTTP.
struct WebEndpointConfig {
  // Profile says how readers authenticate the agent: by an X509-SVID, by the
  // Web PKI, or not at all, behind a reverse proxy of the same machine.
  enum class Profile { kHttpsSpiffe, kHttpsWeb, kHttp };

  std::optional<Endpoint> listen;  // absent: nothing is served
  Profile profile = Profile::kHttpsSpiffe;
  std::string certificate;  // PEM files of https_web
  std::string key;
};

// FederatedDomainConfig is a foreign trust domain with the source of its
// bundle.
struct FederatedDomainConfig {
  enum class Profile { kHttpsSpiffe, kHttpsWeb, kFile };

  std::string trust_domain;
  Profile profile = Profile::kHttpsSpiffe;
  Url url;               // of the https profiles
  SpiffeId endpoint_id;  // of https_spiffe
  std::string bundle;    // file: first bundle of https_spiffe, or all of it
  std::string ca_file;   // of https_web; "": the system's

  // source returns the URL or the file, for a person.
  std::string source;
};

struct FederationConfig {
  // Bounds of the refresh hints of bundle servers, and the least delay of a
  // revocation.
  static constexpr std::chrono::seconds kMinRefresh{5};
  static constexpr std::chrono::seconds kMaxRefresh{3600};

  WebEndpointConfig serve;
  std::chrono::seconds refresh_hint{300};
  std::vector<FederatedDomainConfig> trust_domains;
};

// OidcConfig makes JWT-SVIDs verifiable by OpenID Connect Discovery.
struct OidcConfig {
  std::string issuer;  // `iss` of the tokens; "": none
  WebEndpointConfig serve;
};

}  // namespace kith
