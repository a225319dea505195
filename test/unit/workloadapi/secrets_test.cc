// SPDX-License-Identifier: Apache-2.0
// Envoy's secret discovery service, by the bytes of its messages.
#include <map>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <openssl/evp.h>

#include "agent/identity/certificate_pem.h"
#include "agent/identity/private_key.h"
#include "agent/workloadapi/secret_discovery.pb.h"
#include "test/unit/workloadapi/api_fixture.h"

namespace kith {
namespace {

constexpr const char *kWeb = "spiffe://example.org/demo/web";
constexpr const char *kDomain = "spiffe://example.org";
constexpr const char *kType =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

// A message of length-delimited fields, by their numbers.
using Fields = std::multimap<uint64_t, std::string>;

uint64_t TakeVarint(std::string_view &text) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE_FALSE(text.empty());
    const auto byte = static_cast<uint8_t>(text.front());
    text.remove_prefix(1);
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      return value;
    }
  }
}

Fields Parse(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const uint64_t tag = TakeVarint(text);
    REQUIRE((tag & 7) == 2);
    const uint64_t length = TakeVarint(text);
    REQUIRE(length <= text.size());
    fields.emplace(tag >> 3, text.substr(0, length));
    text.remove_prefix(length);
  }
  return fields;
}

std::string Only(const Fields &fields, uint64_t number) {
  REQUIRE(fields.count(number) == 1);
  return fields.find(number)->second;
}

// What a response says, resources by their names.
struct Response {
  explicit Response(const std::string &text) {
    const Fields fields = Parse(text);
    version = Only(fields, 1);
    nonce = Only(fields, 5);
    CHECK(Only(fields, 4) == kType);
    for (auto [it, end] = fields.equal_range(2); it != end; ++it) {
      const Fields any = Parse(it->second);
      CHECK(Only(any, 1) == kType);
      const Fields secret = Parse(Only(any, 2));
      secrets.emplace(Only(secret, 1), secret);
    }
  }
  std::string version;
  std::string nonce;
  std::map<std::string, Fields> secrets;
};

std::string InlineBytes(const std::string &source) {
  return Only(Parse(source), 2);
}

struct SecretsFixture : ApiFixture {
  GrpcClient client{path};

  static GrpcClient::Fields FieldsOf(const std::string &method) {
    GrpcClient::Fields fields = GrpcClient::FieldsOf("");
    fields[2].second =
        "/envoy.service.secret.v3.SecretDiscoveryService/" + method;
    fields.pop_back();  // Envoy sends no security header
    return fields;
  }

  static std::string Request(const std::vector<std::string> &names,
                             const std::string &nonce = "",
                             const std::string &error = "") {
    sds::DiscoveryRequest request;
    request.mutable_resource_names()->Assign(names.begin(), names.end());
    request.set_type_url(kType);
    request.set_response_nonce(nonce);
    if (!error.empty()) {
      request.mutable_error_detail()->set_message(error);
    }
    return WithPrefix(request.SerializeAsString());
  }

  int32_t Stream(const std::vector<std::string> &names) {
    return client.Call(FieldsOf("StreamSecrets"), Request(names), false);
  }
  Response Await(int32_t stream, size_t count) {
    const GrpcAnswer &answer = client.AwaitMessages(stream, count);
    INFO(answer.text());
    REQUIRE(answer.messages.size() == count);
    return Response(answer.messages.back());
  }
  GrpcAnswer Fetch(const std::vector<std::string> &names) {
    return client.AwaitEnd(
        client.Call(FieldsOf("FetchSecrets"), Request(names)));
  }

  void RequireCertificate(const Fields &secret) {
    const Fields tls = Parse(Only(secret, 2));
    CHECK(InlineBytes(Only(tls, 1)) == CertificatesPem(source.svid()->chain()));
    const std::string pem = InlineBytes(Only(tls, 2));
    auto key = ParsePrivateKey(
        {reinterpret_cast<const uint8_t *>(pem.data()), pem.size()});
    REQUIRE(key.ok());
    CHECK(EVP_PKEY_cmp(key->get(), source.svid()->key()) == 1);
  }

  std::string RootsPem() {
    return CertificatesPem(
        source.bundle(SpiffeId())->authorities()[0].certificates);
  }
};

TEST_CASE_METHOD(SecretsFixture, "secrets by the names that SPIRE has") {
  const int32_t stream = Stream({"default", kWeb, "ROOTCA", kDomain, "ALL"});
  const Response response = Await(stream, 1);
  REQUIRE(response.secrets.size() == 5);
  RequireCertificate(response.secrets.at("default"));
  RequireCertificate(response.secrets.at(kWeb));
  for (const char *name : {"ROOTCA", kDomain}) {
    const Fields context = Parse(Only(response.secrets.at(name), 4));
    CHECK(InlineBytes(Only(context, 1)) == RootsPem());
  }
  const Fields all = Parse(Only(response.secrets.at("ALL"), 4));
  const Fields validator = Parse(Only(all, 12));
  CHECK(Only(validator, 1) == "envoy.tls.cert_validator.spiffe");
  const Fields config = Parse(Only(validator, 2));
  CHECK(Only(config, 1) ==
        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
        "SPIFFECertValidatorConfig");
  const Fields domain = Parse(Only(Parse(Only(config, 2)), 1));
  CHECK(Only(domain, 1) == "example.org");
  CHECK(InlineBytes(Only(domain, 2)) == RootsPem());
}

TEST_CASE_METHOD(SecretsFixture, "without names there is what the caller has") {
  const GrpcAnswer answer = Fetch({});
  CHECK(answer.code() == kOk);
  REQUIRE(answer.messages.size() == 1);
  const Response response(answer.messages[0]);
  REQUIRE(response.secrets.size() == 2);
  RequireCertificate(response.secrets.at(kWeb));
  CHECK(response.secrets.contains(kDomain));
}

TEST_CASE_METHOD(SecretsFixture, "a renewal is pushed, whatever was refused") {
  const int32_t stream = Stream({"default"});
  const Response first = Await(stream, 1);
  const bool taken = GENERATE(true, false);
  client.SendMore(
      stream, Request({"default"}, first.nonce, taken ? "" : "no such cipher"));
  api->NotifyChanged();  // nothing is new
  source.Rotate();
  api->NotifyChanged();
  const Response second = Await(stream, 2);
  CHECK(second.nonce != first.nonce);
  CHECK(second.version != first.version);
  RequireCertificate(second.secrets.at("default"));
}

TEST_CASE_METHOD(SecretsFixture, "a stream may ask for something else") {
  const int32_t stream = Stream({"default"});
  const Response first = Await(stream, 1);
  // Not what an old nonce says: that request crossed the first response.
  client.SendMore(stream, Request({"default", "ALL"}, "0"));
  client.SendMore(stream, Request({"ROOTCA"}, first.nonce));
  const Response second = Await(stream, 2);
  REQUIRE(second.secrets.size() == 1);
  CHECK(second.secrets.contains("ROOTCA"));
  client.SendMore(stream, "", true);
  CHECK(client.AwaitEnd(stream).code() == kOk);
}

TEST_CASE_METHOD(SecretsFixture, "a proxy's first request may be large") {
  const std::string node =
      "\x12" + std::string("\xe0\xd4\x03") + std::string(60'000, '\0');
  const std::string request = Request({"default"}).substr(5) + node;
  const int32_t stream =
      client.Call(FieldsOf("StreamSecrets"), WithPrefix(request), false);
  CHECK(Await(stream, 1).secrets.size() == 1);
  const std::string too_large(200'000, '\0');
  CHECK(client
            .AwaitEnd(client.Call(
                FieldsOf("StreamSecrets"), WithPrefix(too_large), false))
            .code() == kResourceExhausted);
}

TEST_CASE_METHOD(SecretsFixture, "what is refused, and how") {
  struct Case {
    std::vector<std::string> names;
    int code;
  };
  const auto c =
      GENERATE(Case{{"default", "nonsense"}, kInvalidArgument},
               Case{{"spiffe://example.org/demo/other"}, kPermissionDenied},
               Case{{"spiffe://other.org"}, kPermissionDenied});
  CHECK(Fetch(c.names).code() == c.code);
  CHECK(client.AwaitEnd(Stream(c.names)).code() == c.code);
}

TEST_CASE_METHOD(SecretsFixture, "malformed requests end their call alone") {
  CHECK(client
            .AwaitEnd(client.Call(
                FieldsOf("StreamSecrets"), WithPrefix("\xff\xff"), false))
            .code() == kInternal);
  sds::DiscoveryRequest clusters;
  clusters.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  CHECK(client
            .AwaitEnd(client.Call(FieldsOf("FetchSecrets"),
                                  WithPrefix(clusters.SerializeAsString())))
            .code() == kInvalidArgument);
  CHECK(client.AwaitEnd(client.Call(FieldsOf("DeltaSecrets"), Request({})))
            .code() == kUnimplemented);
  CHECK(client.AwaitEnd(client.Call(FieldsOf("StreamSecrets"), "", true))
            .code() == kUnimplemented);
  CHECK(Fetch({"default"}).code() == kOk);
}

TEST_CASE_METHOD(SecretsFixture, "a caller that is somebody no more") {
  const int32_t stream = Stream({"default"});
  (void)Await(stream, 1);
  source.Serve(absl::PermissionDeniedError("no selectors match"));
  api->NotifyChanged();
  CHECK(client.AwaitEnd(stream).code() == kPermissionDenied);
}

}  // namespace
}  // namespace kith
