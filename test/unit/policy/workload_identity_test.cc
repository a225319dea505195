// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "test/unit/policy/documents.h"

namespace kith {
namespace {

constexpr char kMinimal[] = "workloadID: a\nselectors: [{process:name: a}]\n";

std::string Minimal(const std::string &more) {
  return kMinimal + more;
}

WorkloadIdentity ReadSpec(const std::string &spec) {
  return *ReadOk(IdentityYaml("x", spec)).identities.at(0);
}

TEST_CASE("files that a WorkloadIdentity asks for") {
  const WorkloadIdentity identity =
      ReadSpec(Minimal("svid:\n"
                       "  x509: {files: {directory: web}}\n"
                       "  jwt:\n"
                       "    files:\n"
                       "      directory: web\n"
                       "      tokens: [{file: api.jwt, audience: [api, db]}]"));
  CHECK(identity.x509_files == "web");
  CHECK(identity.jwt_files == "web");
  REQUIRE(identity.tokens.size() == 1);
  CHECK(identity.tokens[0].name == "api.jwt");
  CHECK(identity.tokens[0].audience == std::vector<std::string>{"api", "db"});
}

TEST_CASE("the defaults of a WorkloadIdentity") {
  const WorkloadIdentity identity = ReadSpec(kMinimal);
  CHECK(identity.spiffe_id.uri() == "spiffe://td/a");
  CHECK(identity.mode == TlsMode::kMutual);
  CHECK_FALSE(identity.alpn.has_value());
  CHECK_FALSE(identity.svid_ttl.has_value());
  CHECK_FALSE(identity.allowed_inbound.has_value());
  CHECK_FALSE(identity.allowed_outbound.has_value());
  CHECK(identity.dns_names.empty());
}

TEST_CASE("every field of a WorkloadIdentity") {
  const WorkloadIdentity identity = ReadSpec(
      "workloadID: spiffe://TD/demo/web\n"
      "scope: {daemonGroup: {id: g}}\n"
      "selectors:\n"
      "- process:name: nginx\n"
      "  destination:port: [80, 443]\n"
      "svid: {x509: {dnsNames: [web.demo, '*.web.demo'], ttl: 3600s}}\n"
      "connection: {tls: {mode: PERMISSIVE, alpn: [h2, http/1.1], intercept: "
      "false}}\n"
      "allowedSPIFFEIDs:\n"
      "  inbound: []\n"
      "  outbound: [SPIFFE://Other/x, spiffe://td/y/*, 'spiffe://td/*']\n"
      "egress:\n"
      "- selectors: [{app: web}, {app: api}]\n"
      "  workloadID: demo/api\n"
      "  connection: {tls: {mode: DISABLE}}\n"
      "  allowedSPIFFEIDs: [spiffe://td/demo/*]\n"
      "- selectors: [{app: db}]\n"
      "  allowedSPIFFEIDs: {outbound: [spiffe://td/db]}\n"
      "ingress:\n"
      "- selectors: [{destination:port: 80}]\n"
      "  allowedSPIFFEIDs: {inbound: []}\n"
      "- selectors: [{destination:port: 81}]\n"
      "  workloadID: demo/caller");
  using Ids = std::vector<std::string>;
  CHECK(identity.spiffe_id.uri() == "spiffe://td/demo/web");
  CHECK(identity.svid_ttl == std::chrono::hours(1));
  CHECK(identity.dns_names == Ids{"web.demo", "*.web.demo"});
  CHECK(identity.mode == TlsMode::kPermissive);
  CHECK(identity.alpn == Ids{"h2", "http/1.1"});
  CHECK(identity.allowed_inbound == Ids{});
  CHECK(identity.allowed_outbound ==
        Ids{"spiffe://other/x", "spiffe://td/y/*", "spiffe://td/*"});
  REQUIRE(identity.egress.size() == 2);
  CHECK(identity.egress[0].service_labels.size() == 2);
  CHECK(identity.egress[0].workload_id->uri() == "spiffe://td/demo/api");
  CHECK(identity.egress[0].tls.mode == TlsMode::kDisable);
  CHECK(identity.egress[0].allowed == Ids{"spiffe://td/demo/*"});
  CHECK(identity.egress[1].allowed == Ids{"spiffe://td/db"});
  CHECK_FALSE(identity.egress[1].tls.mode.has_value());
  REQUIRE(identity.ingress.size() == 2);
  CHECK(identity.ingress[0].allowed == Ids{});
  CHECK(identity.ingress[1].allowed == Ids{"spiffe://td/demo/caller"});
}

TEST_CASE("each mistake names its field") {
  struct Case {
    std::string spec;
    std::string message;
  };
  const auto c = GENERATE(
      Case{"selectors: [{process:name: a}]", "spec: needs workloadID"},
      Case{"workloadID: a", "spec: needs selectors"},
      Case{"", "spec: needs workloadID"},
      Case{"workloadID: ''\nselectors: []", "spec.workloadID: is empty"},
      Case{"workloadID: /a", "spec.workloadID: invalid SPIFFE ID"},
      Case{"workloadID: a/", "must not end with a slash"},
      Case{"workloadID: a/../b", "'..'"},
      Case{"workloadID: a?b", "path may have"},
      Case{"workloadID: 5", "want a string"},
      Case{"workloadID: spiffe://other/a", "is outside the trust domain td"},
      Case{"workloadID: spiffe://td", "a workload's ID has a path"},
      Case{"workloadID: " + std::string(2100, 'a'), "longer than 2048"},
      Case{"workloadID: a\nselectors: []", "spec.selectors: is empty"},
      Case{"workloadID: a\nselectors: [{process:nmae: a}]",
           "spec.selectors[0].process:nmae: unknown selector"},
      Case{Minimal("workloadId: b"), "did you mean 'workloadID'?"},
      Case{Minimal("connection: {tls: {alpn: h2}}"),
           "spec.connection.tls.alpn: want a list"},
      Case{Minimal("connection: {tls: {alpn: [h2, h2]}}"),
           "spec.connection.tls.alpn: has 'h2' twice"},
      Case{Minimal("connection: {tls: {alpn: ['']}}"), "is empty"},
      Case{
          Minimal("connection: {tls: {alpn: [" + std::string(256, 'a') + "]}}"),
          "is longer than 255 bytes"},
      Case{Minimal("connection: {tls: {alpn: [a, b, c, d, e, f, g, h, i]}}"),
           "spec.connection.tls.alpn"},
      Case{Minimal("svid: {ttl: 1h}"), "spec.svid.ttl: unknown key"},
      Case{Minimal("svid: {jwt: {ttl: 60s}}"), "spec.svid.jwt: has no effect"},
      Case{Minimal("svid: {x509: {files: {}}}"),
           "spec.svid.x509.files: needs directory"},
      Case{Minimal("svid: {x509: {files: {directory: ../etc}}}"),
           "spec.svid.x509.files.directory: want a name"},
      Case{Minimal("svid: {x509: {files: {directory: .ssh}}}"),
           "spec.svid.x509.files.directory: want a name"},
      Case{Minimal("svid: {jwt: {files: {directory: a}}}"),
           "spec.svid.jwt.files: needs directory and tokens"},
      Case{Minimal("svid: {jwt: {files: {directory: a, tokens: [{file: t}]}}}"),
           "spec.svid.jwt.files.tokens[0]: needs file and audience"},
      Case{Minimal("svid: {jwt: {files: {directory: a, tokens: "
                   "[{file: key.pem, audience: [b]}]}}}"),
           "tokens[0].file: is the name of a file of the X509-SVID"},
      Case{Minimal("svid: {jwt: {files: {directory: a, tokens: "
                   "[{file: t, audience: [b]}, {file: t, audience: [c]}]}}}"),
           "tokens[1]: a second file t"},
      Case{Minimal("svid: {x509: {ttl: 3600}}"), "want a duration"},
      Case{Minimal("svid: {x509: {ttl: 1s}}"), "2s to 24h"},
      Case{Minimal("svid: {x509: {ttl: 90000s}}"), "2s to 24h"},
      Case{Minimal("svid: {x509: {dnsNames: web}}"), "dnsNames: want a list"},
      Case{Minimal("svid: {x509: {dnsNames: [a b]}}"), "is not a DNS name"},
      Case{Minimal("svid: {x509: {dnsNames: [-a]}}"), "is not a DNS name"},
      Case{Minimal("svid: {x509: {dnsNames: [a..b]}}"), "is not a DNS name"},
      Case{Minimal("svid: {x509: {dnsNames: ['a.*']}}"), "is not a DNS name"},
      Case{Minimal("svid: {x509: {dnsNames: [10]}}"), "dnsNames[0]: want a"},
      Case{Minimal("connection: {tls: {mode: SIMPLE}}"),
           "SIMPLE is not supported by this version; supported: MUTUAL, "
           "PERMISSIVE, DISABLE"},
      Case{Minimal("connection: {tls: {mode: mutual}}"),
           "want MUTUAL or PERMISSIVE or DISABLE, got 'mutual'"},
      Case{Minimal("connection: {tls: {intercept: true}}"),
           "spec.connection.tls.intercept: true is not supported"},
      Case{Minimal("connection: {mode: MUTUAL}"), "mode: unknown key"},
      Case{Minimal("connection: MUTUAL"), "connection: want a map"},
      Case{Minimal("scope: {}"), "want exactly one of daemon.id"},
      Case{Minimal("scope: {daemon: {id: a}, daemonGroup: {id: b}}"),
           "want exactly one of daemon.id"},
      Case{Minimal("scope: {daemon: {}}"), "want exactly one of daemon.id"},
      Case{Minimal("allowedSPIFFEIDs:"), "allowedSPIFFEIDs: has no value"},
      Case{Minimal("allowedSPIFFEIDs: {inbound:}"), "inbound: want a list"},
      Case{Minimal("allowedSPIFFEIDs: [spiffe://td/a]"), "want a map"},
      Case{Minimal("allowedSPIFFEIDs: {inbound: [a]}"),
           "inbound[0]: invalid SPIFFE ID"},
      Case{Minimal("allowedSPIFFEIDs: {inbound: ['spiffe://td/a*']}"),
           "'*' stands for the last part only"},
      Case{Minimal("allowedSPIFFEIDs: {inbound: ['spiffe://td/*/b']}"),
           "'*' stands for the last part only"},
      Case{Minimal("allowedSPIFFEIDs: {inbound: ['spiffe://*']}"),
           "invalid SPIFFE ID"},
      Case{Minimal("allowedSPIFFEIDs: {inbound: ['*']}"), "invalid SPIFFE ID"},
      Case{Minimal("egress: {}"), "spec.egress: want a list"},
      Case{Minimal("egress: [{workloadID: b}]"), "egress[0]: needs selectors"},
      Case{Minimal("egress: [{selectors: [{a: b}], mode: MUTUAL}]"),
           "egress[0].mode: unknown key"},
      Case{Minimal("egress: [{selectors: [{a: b}], allowedSPIFFEIDs: {inbound: "
                   "[]}}]"),
           "inbound: unknown key"},
      Case{Minimal("egress: [{selectors: [{a: b}], allowedSPIFFEIDs:}]"),
           "allowedSPIFFEIDs: want a list"},
      Case{Minimal("egress: [{selectors: [{a: b}], workloadID: b, "
                   "allowedSPIFFEIDs: [spiffe://td/c]}]"),
           "is not in the rule's own allowedSPIFFEIDs"},
      Case{Minimal("ingress: [{selectors: [{process:name: a}]}]"),
           "an ingress rule selects by destination:port only"});
  CAPTURE(c.spec);
  const auto set = Read(IdentityYaml("x", c.spec));
  REQUIRE_FALSE(set.ok());
  CAPTURE(set.status().message());
  CHECK(set.status().message().find("f.yaml:") == 0);
  CHECK(set.status().message().find(c.message) != std::string::npos);
}

TEST_CASE("federatesWith is a sorted set of foreign trust domains") {
  const auto set = ReadOk(IdentityYaml(
      "x", Minimal("federatesWith: [spiffe://Far.Example, b, far.example]")));
  CHECK(set.identities.at(0)->federates_with ==
        std::vector<std::string>{"b", "far.example"});
  for (const char *wrong : {"[td]", "['spiffe://b/a']", "[b/]", "b", "['']"}) {
    CAPTURE(wrong);
    const auto refused = Read(
        IdentityYaml("x", Minimal(absl::StrCat("federatesWith: ", wrong))));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.status().message().find("federatesWith") !=
          std::string::npos);
  }
}

TEST_CASE("fields without effect are accepted, and said so") {
  const std::string document = AsRiptides(
      IdentityYaml("x",
                   Minimal("scope: {daemon: {id: node-1}}\n"
                           "svid: {x509: {ttl: 60s}, jwt: {ttl: 60s}}\n"
                           "connection: {tls: {intercept: false}}")));
  const ResourceSet set = ReadOk(document);
  REQUIRE(set.warnings.size() == 2);
  CHECK(set.warnings[0].find("f.yaml:8: spec.scope: has no effect") == 0);
  CHECK(set.warnings[1].find("f.yaml:9: spec.svid.jwt: ") == 0);
}

TEST_CASE("a document cut anywhere is an error or a document, never a crash") {
  const std::string whole = IdentityYaml(
      "x",
      Minimal("svid: {x509: {dnsNames: [a.b], ttl: '60s'}}\n"
              "allowedSPIFFEIDs: {inbound: ['spiffe://td/b']}\n"
              "egress: [{selectors: [{a: b}], workloadID: \"c\"}]"));
  REQUIRE(Read(whole).ok());
  size_t refused = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    refused += Read(std::string_view(whole).substr(0, size)).ok() ? 0 : 1;
  }
  CHECK(refused > whole.size() / 2);
}

}  // namespace
}  // namespace kith
