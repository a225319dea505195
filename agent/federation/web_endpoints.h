// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "agent/config/web_config.h"
#include "agent/federation/own_bundle.h"
#include "agent/identity/svid_store.h"
#include "agent/web/web_server.h"
#include "kith/spiffe_id.h"

namespace kith {

// EndpointId is the SPIFFE ID with which the agent itself serves documents
// (https_spiffe); empty: it serves none so.
SpiffeId EndpointId(const std::string &trust_domain,
                    const FederationConfig &federation,
                    const OidcConfig &oidc);

// WebEndpoints serves the own bundle and OpenID Connect Discovery, if they are
// configured. Not thread-safe.
class WebEndpoints {
 public:
  // Parts outlive the endpoints.
  struct Parts {
    const std::string &trust_domain;
    const FederationConfig &federation;
    const OidcConfig &oidc;
    const SvidStore &svids;
    OwnBundle &own_bundle;
  };

  explicit WebEndpoints(Parts parts) : parts_(parts) {}

  // Open binds the ports, unless they are open.
  absl::Status Open();
  void Close() { servers_.clear(); }

 private:
  using Documents = decltype(WebServer::Options::documents);

  absl::Status Serve(const WebEndpointConfig &serve, Documents documents);
  absl::Status ServeBundle();
  absl::Status ServeDiscovery();
  absl::StatusOr<WebTls> SvidTls() const;
  absl::StatusOr<Authorities> OwnAuthorities() const;

  const Parts parts_;
  std::vector<std::unique_ptr<WebServer>> servers_;
};

}  // namespace kith
