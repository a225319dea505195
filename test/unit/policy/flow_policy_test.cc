// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/flow_policy.h"

#include <optional>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "test/unit/policy/documents.h"

namespace kith {
namespace {

using Ids = std::vector<std::string>;

const std::string kServices =
    ServiceYaml("web",
                "labels: {app: web, tier: front}\nworkloadID: web\n"
                "addresses: [{address: 10.0.0.1, port: 80}]") +
    ServiceYaml("db",
                "labels: {app: db}\n"
                "addresses: [{address: 10.0.1.0/24}, {address: fd00::/64}]") +
    ServiceYaml("other",
                "labels: {app: other}\nworkloadID: spiffe://far/other\n"
                "addresses: [{address: 10.0.2.1, port: 80}]");

ResourceSet WithSpec(const std::string &spec) {
  return ReadOk(
      kServices +
      IdentityYaml("me",
                   "workloadID: me\nselectors: [{process:name: a}]\n" + spec));
}

const std::string kEgress =
    "allowedSPIFFEIDs: {outbound: [spiffe://td/own]}\n"
    "egress:\n"
    "- selectors: [{app: web, tier: back}]\n"
    "  connection: {tls: {mode: DISABLE}}\n"
    "- selectors: [{app: nobody}, {app: db}]\n"
    "  connection: {tls: {mode: PERMISSIVE}}\n"
    "  allowedSPIFFEIDs: [spiffe://td/db]\n"
    "- selectors: [{app: [db, web]}]\n"
    "  workloadID: web2\n"
    "- selectors: [{app: other}]\n";

TEST_CASE("outbound: the first egress entry whose Service has the place") {
  struct Case {
    std::string spec;
    std::string destination;
    TlsMode mode;
    std::optional<Ids> allowed;
    bool workload;
    std::string rule;
  };
  const auto c = GENERATE_COPY(
      Case{"",
           "192.0.2.1:80",
           TlsMode::kMutual,
           std::nullopt,
           false,
           "identity me outbound"},
      Case{"connection: {tls: {mode: PERMISSIVE}}",
           "10.0.0.1:80",
           TlsMode::kPermissive,
           std::nullopt,
           true,
           "identity me outbound"},
      Case{"",
           "10.0.0.1:81",
           TlsMode::kMutual,
           std::nullopt,
           false,
           "identity me outbound"},
      Case{kEgress,
           "10.0.0.1:80",
           TlsMode::kMutual,
           Ids{"spiffe://td/web2"},
           true,
           "identity me egress[2] (Service web)"},
      Case{kEgress,
           "10.0.0.1:81",
           TlsMode::kMutual,
           Ids{"spiffe://td/own"},
           false,
           "identity me outbound"},
      Case{kEgress,
           "10.0.1.200:5432",
           TlsMode::kPermissive,
           Ids{"spiffe://td/db"},
           false,
           "identity me egress[1] (Service db)"},
      Case{kEgress,
           "[fd00::5]:1",
           TlsMode::kPermissive,
           Ids{"spiffe://td/db"},
           false,
           "identity me egress[1] (Service db)"},
      Case{kEgress,
           "[fd00:0:0:1::5]:1",
           TlsMode::kMutual,
           Ids{"spiffe://td/own"},
           false,
           "identity me outbound"},
      // The Service's workload is not among the identity's own peers.
      Case{kEgress,
           "10.0.2.1:80",
           TlsMode::kMutual,
           Ids{},
           true,
           "identity me egress[3] (Service other)"},
      Case{"egress: [{selectors: [{app: web}]}]",
           "10.0.0.1:80",
           TlsMode::kMutual,
           Ids{"spiffe://td/web"},
           true,
           "identity me egress[0] (Service web)"},
      Case{"federatesWith: [far]\nallowedSPIFFEIDs: {outbound: "
           "['spiffe://far/*']}\n"
           "egress: [{selectors: [{app: other}]}]",
           "10.0.2.1:80",
           TlsMode::kMutual,
           Ids{"spiffe://far/other"},
           true,
           "identity me egress[0] (Service other)"},
      // Another trust domain has to be allowed by name.
      Case{"egress: [{selectors: [{app: other}]}]",
           "10.0.2.1:80",
           TlsMode::kMutual,
           Ids{},
           true,
           "identity me egress[0] (Service other)"},
      Case{"egress: [{selectors: [{app: db}], allowedSPIFFEIDs: []}]",
           "10.0.1.1:1",
           TlsMode::kMutual,
           Ids{},
           false,
           "identity me egress[0] (Service db)"});
  CAPTURE(c.spec, c.destination);
  const ResourceSet set = WithSpec(c.spec);
  const FlowRule rule =
      OutboundRule(set, *set.identities.at(0), *Endpoint::Parse(c.destination));
  CHECK(rule.mode == c.mode);
  CHECK(rule.allowed == c.allowed);
  CHECK(rule.peer_is_workload == c.workload);
  CHECK(rule.rule == c.rule);
}

TEST_CASE("inbound: the first ingress entry that selects the port") {
  const ResourceSet set = WithSpec(
      "connection: {tls: {mode: MUTUAL}}\n"
      "allowedSPIFFEIDs: {inbound: [spiffe://td/a]}\n"
      "ingress:\n"
      "- selectors: [{destination:port: 80}, {destination:port: [81, 82]}]\n"
      "  connection: {tls: {mode: PERMISSIVE}}\n"
      "- selectors: [{destination:port: 82}]\n"
      "  connection: {tls: {mode: DISABLE}}\n"
      "- selectors: [{destination:port: 83}]\n"
      "  workloadID: b\n");
  struct Case {
    uint16_t port;
    TlsMode mode;
    Ids allowed;
    std::string rule;
  };
  const auto c = GENERATE(
      Case{79, TlsMode::kMutual, {"spiffe://td/a"}, "identity me inbound"},
      Case{80,
           TlsMode::kPermissive,
           {"spiffe://td/a"},
           "identity me ingress[0]"},
      Case{82,
           TlsMode::kPermissive,
           {"spiffe://td/a"},
           "identity me ingress[0]"},
      Case{83, TlsMode::kMutual, {"spiffe://td/b"}, "identity me ingress[2]"});
  CAPTURE(c.port);
  const FlowRule rule = InboundRule(*set.identities.at(0), c.port);
  CHECK(rule.mode == c.mode);
  CHECK(rule.allowed == c.allowed);
  CHECK(rule.rule == c.rule);
}

TEST_CASE("ALPN names of what a workload dials") {
  const std::string services =
      ServiceYaml("plain",
                  "labels: {app: plain}\naddresses: [{address: 10.0.0.1}]") +
      ServiceYaml("grpc",
                  "labels: {app: grpc}\nalpn: [h2]\n"
                  "addresses: [{address: 10.0.0.1}, {address: 10.0.0.2}]");
  const ResourceSet set = ReadOk(
      services + IdentityYaml("me",
                              "workloadID: me\nselectors: [{process:name: a}]\n"
                              "connection: {tls: {alpn: [http/1.1]}}\n"
                              "egress:\n"
                              "- selectors: [{app: grpc}]\n"
                              "  connection: {tls: {alpn: [postgresql]}}\n"));
  const WorkloadIdentity &me = *set.identities.at(0);
  WorkloadIdentity without = me;
  without.egress.clear();
  const auto alpn = [&](const WorkloadIdentity &identity, const char *to) {
    return OutboundRule(set, identity, Endpoint::Parse(to).value()).alpn;
  };
  // The Service's, whichever of those there has some; an entry's own instead.
  CHECK(alpn(without, "10.0.0.1:80") == Ids{"h2"});
  CHECK(alpn(without, "10.0.0.2:80") == Ids{"h2"});
  CHECK(alpn(me, "10.0.0.1:80") == Ids{"postgresql"});
  CHECK(alpn(me, "10.0.0.3:80") == Ids{});
}

TEST_CASE("ALPN names of what a workload serves") {
  const ResourceSet set = WithSpec(
      "connection: {tls: {alpn: [h2]}}\n"
      "ingress:\n"
      "- selectors: [{destination:port: 80}]\n"
      "  connection: {tls: {alpn: []}}\n"
      "- selectors: [{destination:port: 81}]\n");
  const WorkloadIdentity &me = *set.identities.at(0);
  CHECK(InboundRule(me, 80).alpn == Ids{});
  CHECK(InboundRule(me, 81).alpn == Ids{"h2"});
  CHECK(InboundRule(me, 82).alpn == Ids{"h2"});
  CHECK_FALSE(InboundRule(*WithSpec("").identities.at(0), 80).alpn.has_value());
}

TEST_CASE("who is authorised") {
  struct Case {
    AllowedPeers allowed;
    std::string peer;
    bool ok;
    Ids federates_with = {};
  };
  const auto c = GENERATE(
      Case{std::nullopt, "spiffe://td/anyone", true},
      Case{std::nullopt, "spiffe://far/anyone", false},
      Case{std::nullopt, "spiffe://td.far/anyone", false},
      Case{Ids{}, "spiffe://td/anyone", false},
      Case{Ids{"spiffe://td/a"}, "spiffe://td/a", true},
      Case{Ids{"spiffe://td/a"}, "spiffe://td/a/b", false},
      Case{Ids{"spiffe://td/a"}, "spiffe://td/A", false},
      Case{Ids{"spiffe://td/x", "spiffe://td/a"}, "spiffe://td/a", true},
      Case{Ids{"spiffe://far/a"}, "spiffe://far/a", false},
      Case{Ids{"spiffe://far/a"}, "spiffe://far/a", false, {"afar", "fare"}},
      Case{Ids{"spiffe://far/a"}, "spiffe://far/a", true, {"afar", "far"}},
      Case{Ids{"spiffe://far/*"}, "spiffe://far/a", true, {"far"}},
      Case{Ids{"spiffe://td/a"}, "spiffe://far/a", false, {"far"}},
      Case{Ids{}, "spiffe://far/a", false, {"far"}},
      Case{std::nullopt, "spiffe://far/a", false, {"far"}},
      Case{Ids{"spiffe://td/a/*"}, "spiffe://td/a/b", true},
      Case{Ids{"spiffe://td/a/*"}, "spiffe://td/a/b/c", true},
      Case{Ids{"spiffe://td/a/*"}, "spiffe://td/a", false},
      Case{Ids{"spiffe://td/a/*"}, "spiffe://td/ab", false},
      Case{Ids{"spiffe://td/a/*"}, "spiffe://far/a/b", false},
      Case{Ids{"spiffe://td/*"}, "spiffe://td/b", true},
      Case{Ids{"spiffe://td/*"}, "spiffe://td", false},
      Case{Ids{"spiffe://td/*"}, "spiffe://td.far/b", false});
  CAPTURE(c.peer);
  const FlowRule rule{.allowed = c.allowed,
                      .federates_with = c.federates_with,
                      .rule = "identity me inbound"};
  const SpiffeId local = *SpiffeId::Parse("spiffe://td/me");
  const auto status = AuthorizePeer(rule, local, *SpiffeId::Parse(c.peer));
  CHECK(status.ok() == c.ok);
  if (!c.ok) {
    CHECK(absl::IsPermissionDenied(status));
    CHECK(status.message().find(c.peer +
                                " is not allowed by identity me inbound") == 0);
  }
}

TEST_CASE("a refusal says that federation is missing") {
  const auto status = AuthorizePeer(
      {.allowed = Ids{"spiffe://far/a"}, .rule = "identity me inbound"},
      *SpiffeId::Parse("spiffe://td/me"),
      *SpiffeId::Parse("spiffe://far/a"));
  CHECK(status.message() ==
        "spiffe://far/a is not allowed by identity me inbound: the identity "
        "does not federate with far (federatesWith)");
}

TEST_CASE("rules carry what the identity federates with") {
  WorkloadIdentity identity;
  identity.spiffe_id = *SpiffeId::Parse("spiffe://td/me");
  identity.federates_with = {"far"};
  CHECK(InboundRule(identity, 80).federates_with == Ids{"far"});
  CHECK(OutboundRule({}, identity, {}).federates_with == Ids{"far"});
}

TEST_CASE("a peer without an ID is never authorised") {
  const SpiffeId local = *SpiffeId::Parse("spiffe://td/me");
  CHECK_FALSE(AuthorizePeer({}, local, {}).ok());
  CHECK_FALSE(AuthorizePeer({.allowed = Ids{"spiffe://td/*"}}, local, {}).ok());
  CHECK_FALSE(AuthorizePeer({}, {}, {}).ok());
  CHECK_FALSE(AuthorizePeer({}, {}, local).ok());
}

}  // namespace
}  // namespace kith
