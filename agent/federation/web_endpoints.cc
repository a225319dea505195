// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/web_endpoints.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "agent/identity/jwk.h"
#include "agent/revocation/svid_revocation.h"
#include "agent/runtime/log.h"
#include "agent/web/discovery_document.h"

namespace kith {
namespace {

constexpr std::string_view kEndpointPath = "kith/bundle-endpoint";

using Profile = WebEndpointConfig::Profile;
using Documents = decltype(WebServer::Options::documents);

bool ServesWithSvid(const WebEndpointConfig &serve) {
  return serve.listen.has_value() && serve.profile == Profile::kHttpsSpiffe;
}

absl::StatusOr<WebTls> SvidTls(const AgentStages &stages) {
  auto svid = stages.svids->Get(EndpointId(stages.config));
  return svid.ok() ? ServeWithSvid(**svid) : svid.status();
}

absl::Status Serve(AgentStages &stages,
                   const WebEndpointConfig &serve,
                   Documents documents) {
  WebServer::Options options;
  options.listen = *serve.listen;
  options.documents = std::move(documents);
  if (serve.profile == Profile::kHttpsSpiffe) {
    options.tls = [&stages] { return SvidTls(stages); };
  } else if (serve.profile == Profile::kHttpsWeb) {
    options.tls = [serve] {
      return ServeWithFiles(serve.certificate, serve.key);
    };
    // What is wrong with the files is said now, not to the first reader.
    if (auto tls = options.tls(); !tls.ok()) {
      return tls.status();
    }
  }
  auto server = WebServer::Create(std::move(options));
  if (server.ok()) {
    stages.web_servers.push_back(*std::move(server));
  }
  return server.status();
}

absl::StatusOr<Authorities> OwnAuthorities(const AgentStages &stages) {
  const auto bundle = stages.svids->bundle();
  if (bundle == nullptr) {
    return absl::UnavailableError("the trust bundle is not there yet");
  }
  return bundle->authorities().front();
}

absl::Status ServeBundle(AgentStages &stages) {
  return Serve(stages,
               stages.config.federation.serve,
               {{"/", [&stages]() -> absl::StatusOr<std::string> {
                   auto own = OwnAuthorities(stages);
                   return own.ok() ? stages.own_bundle->Document(*own)
                                   : own.status();
                 }}});
}

absl::Status ServeDiscovery(AgentStages &stages) {
  const std::string &issuer = stages.config.oidc.issuer;
  auto url = ParseUrl(issuer);
  if (!url.ok()) {
    return url.status();
  }
  const std::string_view base = absl::StripSuffix(url->target, "/");
  return Serve(stages,
               stages.config.oidc.serve,
               {{absl::StrCat(base, kDiscoveryPath),
                 [issuer]() -> absl::StatusOr<std::string> {
                   return DiscoveryDocument(issuer);
                 }},
                {absl::StrCat(base, kKeysPath),
                 [&stages]() -> absl::StatusOr<std::string> {
                   auto own = OwnAuthorities(stages);
                   return own.ok() ? EncodeJwkSet(own->jwt_keys, kOidcJwkUse)
                                   : own.status();
                 }}});
}

// A fault is logged at each try: at most once a minute after some time.
void LogAttempt(const FollowedBundle &now, bool changed) {
  if (changed) {
    Log(LogLevel::kInfo,
        "new bundle of a foreign trust domain",
        {{"trustDomain", now.trust_domain},
         {"sequence", now.sequence.value_or(0)}});
  }
  if (!now.last_error.ok()) {
    Log(now.stale ? LogLevel::kError : LogLevel::kWarning,
        "no fresh bundle of a foreign trust domain: the last good one stays",
        {{"trustDomain", now.trust_domain},
         {"source", now.source},
         {"error", now.last_error.message()}});
  }
}

}  // namespace

SpiffeId EndpointId(const Config &config) {
  if (!ServesWithSvid(config.federation.serve) &&
      !ServesWithSvid(config.oidc.serve)) {
    return {};
  }
  return SpiffeId::FromPath(config.trust_domain, kEndpointPath)
      .value_or(SpiffeId());
}

absl::Status StartFederation(AgentStages &stages) {
  const Config &config = stages.config;
  // No trust domain has capital letters: theirs are the other files.
  stages.own_bundle = std::make_unique<OwnBundle>(
      absl::StrCat(config.state_dir, "/federation/OWN.json"),
      config.federation.refresh_hint);
  Federation::Options options;
  options.trust_domains = config.federation.trust_domains;
  options.state_dir = config.state_dir;
  options.on_attempt = [&stages](const FollowedBundle &now, bool changed) {
    LogAttempt(now, changed);
    if (changed) {
      EndRevokedFlows(stages, *now.bundle);
      stages.workload_api->NotifyChanged();
    }
  };
  auto federation = Federation::Create(std::move(options));
  if (federation.ok()) {
    stages.federation = *std::move(federation);
  }
  return federation.status();
}

absl::Status StartWebServers(AgentStages &stages) {
  absl::Status status;
  if (stages.config.federation.serve.listen.has_value()) {
    status = ServeBundle(stages);
  }
  if (status.ok() && stages.config.oidc.serve.listen.has_value()) {
    status = ServeDiscovery(stages);
  }
  return status;
}

}  // namespace kith
