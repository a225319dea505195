// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/web_endpoints.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "agent/identity/jwk.h"
#include "agent/web/discovery_document.h"

namespace kith {
namespace {

constexpr std::string_view kEndpointPath = "kith/bundle-endpoint";

using Profile = WebEndpointConfig::Profile;

bool ServesWithSvid(const WebEndpointConfig &serve) {
  return serve.listen.has_value() && serve.profile == Profile::kHttpsSpiffe;
}

}  // namespace

absl::StatusOr<WebTls> WebEndpoints::SvidTls() const {
  auto svid = parts_.svids.Get(
      EndpointId(parts_.trust_domain, parts_.federation, parts_.oidc));
  return svid.ok() ? ServeWithSvid(**svid) : svid.status();
}

absl::Status WebEndpoints::Serve(const WebEndpointConfig &serve,
                                 Documents documents) {
  WebServer::Options options;
  options.listen = *serve.listen;
  options.documents = std::move(documents);
  if (serve.profile == Profile::kHttpsSpiffe) {
    options.tls = [this] { return SvidTls(); };
  } else if (serve.profile == Profile::kHttpsWeb) {
    options.tls = [serve] {
      return ServeWithFiles(serve.certificate, serve.key);
    };
    // Faults of the files are reported now, not to the first reader.
    if (auto tls = options.tls(); !tls.ok()) {
      return tls.status();
    }
  }
  auto server = WebServer::Create(std::move(options));
  if (server.ok()) {
    servers_.push_back(*std::move(server));
  }
  return server.status();
}

absl::StatusOr<Authorities> WebEndpoints::OwnAuthorities() const {
  const auto bundle = parts_.svids.bundle();
  if (bundle == nullptr) {
    return absl::UnavailableError("the trust bundle is not there yet");
  }
  return bundle->authorities().front();
}

absl::Status WebEndpoints::ServeBundle() {
  return Serve(parts_.federation.serve,
               {{"/", [this]() -> absl::StatusOr<std::string> {
                   auto own = OwnAuthorities();
                   return own.ok() ? parts_.own_bundle.Document(*own)
                                   : own.status();
                 }}});
}

absl::Status WebEndpoints::ServeDiscovery() {
  const std::string &issuer = parts_.oidc.issuer;
  auto url = ParseUrl(issuer);
  if (!url.ok()) {
    return url.status();
  }
  const std::string_view base = absl::StripSuffix(url->target, "/");
  return Serve(
      parts_.oidc.serve,
      {{absl::StrCat(base, kDiscoveryPath),
        [issuer]() -> absl::StatusOr<std::string> {
          return DiscoveryDocument(issuer);
        }},
       {absl::StrCat(base, kKeysPath), [this]() -> absl::StatusOr<std::string> {
          auto own = OwnAuthorities();
          return own.ok() ? EncodeJwkSet(own->jwt_keys, kOidcJwkUse)
                          : own.status();
        }}});
}

SpiffeId EndpointId(const std::string &trust_domain,
                    const FederationConfig &federation,
                    const OidcConfig &oidc) {
  if (!ServesWithSvid(federation.serve) && !ServesWithSvid(oidc.serve)) {
    return {};
  }
  return SpiffeId::FromPath(trust_domain, kEndpointPath).value_or(SpiffeId());
}

absl::Status WebEndpoints::Open() {
  if (!servers_.empty()) {
    return absl::OkStatus();
  }
  absl::Status status;
  if (parts_.federation.serve.listen.has_value()) {
    status = ServeBundle();
  }
  if (status.ok() && parts_.oidc.serve.listen.has_value()) {
    status = ServeDiscovery();
  }
  if (!status.ok()) {
    Close();
  }
  return status;
}

}  // namespace kith
