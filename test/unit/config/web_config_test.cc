// SPDX-License-Identifier: Apache-2.0
#include "agent/config/web_config.h"

#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "agent/config/config.h"

namespace kith {
namespace {

constexpr char kFull[] = R"(
federation:
  serve:
    listen: 0.0.0.0:8443
    profile: https_web
    certificate: /c.pem
    key: /k.pem
    refreshHint: 1m
  trustDomains:
    - name: spiffe://B.Example
      url: https://b.example:8443/
      endpointSPIFFEID: spiffe://b.example/server
      bundle: /b.json
    - {name: c, profile: https_web, url: 'https://c/x', caFile: /ca.pem}
    - {name: d, profile: file, bundle: /d.json}
oidc: {issuer: 'https://oidc.example.org/a', listen: '127.0.0.1:80', profile: http}
)";

TEST_CASE("federation and oidc are read") {
  const auto config = ParseConfig(kFull, "f");
  INFO(config.status().message());
  REQUIRE(config.ok());
  const FederationConfig &read = config->federation;
  CHECK(read.serve.listen->ToString() == "0.0.0.0:8443");
  CHECK(read.serve.profile == WebEndpointConfig::Profile::kHttpsWeb);
  CHECK(read.refresh_hint == std::chrono::seconds(60));
  REQUIRE(read.trust_domains.size() == 3);
  CHECK(read.trust_domains[0].trust_domain == "b.example");
  CHECK(read.trust_domains[0].url.port == 8443);
  CHECK(read.trust_domains[0].endpoint_id.path() == "/server");
  CHECK(read.trust_domains[1].ca_file == "/ca.pem");
  CHECK(read.trust_domains[1].source == "https://c/x");
  CHECK(read.trust_domains[2].source == "/d.json");
  CHECK(config->oidc.issuer == "https://oidc.example.org/a");
  CHECK(config->oidc.serve.profile == WebEndpointConfig::Profile::kHttp);
}

TEST_CASE("nothing is served or followed by default") {
  const auto config = ParseConfig("", "f");
  REQUIRE(config.ok());
  CHECK_FALSE(config->federation.serve.listen.has_value());
  CHECK_FALSE(config->oidc.serve.listen.has_value());
  CHECK(config->federation.trust_domains.empty());
}

TEST_CASE("wrong values are errors that name the key") {
  const std::pair<const char *, const char *> cases[] = {
      {"federation: {serve: {listen: 8443}}", "federation.serve.listen"},
      {"federation: {serve: {listen: 'host:1'}}", "federation.serve.listen"},
      {"federation: {serve: {profile: tls}}", "federation.serve.profile"},
      {"federation: {serve: {profile: https_web}}", "certificate and key"},
      {"federation: {serve: {certificate: /c}}", "certificate and key"},
      {"federation: {serve: {listen: '0.0.0.0:1', profile: http}}", "loopback"},
      {"federation: {serve: {refreshHint: 1s}}", "refreshHint"},
      {"federation: {trustDomains: [{profile: file, bundle: /b}]}",
       "needs name"},
      {"federation: {trustDomains: [{name: b, bundle: /b}]}", "url"},
      {"federation: {trustDomains: [{name: b, url: 'http://127.0.0.1/'}]}",
       "https only"},
      {"federation: {trustDomains: [{name: b, url: 'https://b/', bundle: /b}]}",
       "endpointSPIFFEID"},
      {"federation: {trustDomains: [{name: b, url: 'https://b/', bundle: /b, "
       "endpointSPIFFEID: spiffe://c/x}]}",
       "endpointSPIFFEID"},
      {"federation: {trustDomains: [{name: b, profile: file, bundle: b}]}",
       "absolute path"},
      {"federation: {trustDomains: [{name: b, profile: file, bundle: /b}, "
       "{name: B, profile: file, bundle: /b}]}",
       "twice"},
      {"federation: {trustDomains: [{name: example.org, profile: file, "
       "bundle: /b}]}",
       "own trust domain"},
      {"oidc: {issuer: oidc}", "oidc.issuer"},
      {"oidc: {issuer: 'https://oidc/'}", "slash"},
      {"oidc: {issuer: 'https://oidc?x'}", "query"},
      {"oidc: {listen: '127.0.0.1:80'}", "needs issuer"},
  };
  for (const auto &[text, message] : cases) {
    CAPTURE(text);
    const auto config = ParseConfig(text, "f");
    REQUIRE_FALSE(config.ok());
    CAPTURE(config.status().message());
    CHECK(config.status().message().find(message) != std::string_view::npos);
  }
}

}  // namespace
}  // namespace kith
