// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <catch2/generators/catch_generators.hpp>

#include "agent/grpc/grpc_message.h"
#include "agent/workloadapi/secret_stream.h"
#include "test/unit/workloadapi/secrets_fixture.h"

namespace kith {
namespace {

TEST_CASE_METHOD(SecretsFixture, "secrets by the names that SPIRE has") {
  const int32_t stream = Stream({"default", kWeb, "ROOTCA", kDomain, "ALL"});
  const Response response = Await(stream, 1);
  REQUIRE(response.secrets.size() == 5);
  RequireCertificate(response.secrets.at("default"));
  RequireCertificate(response.secrets.at(kWeb));
  // A plain list of authorities would let a foreign one speak for this domain.
  for (const char *name : {"ROOTCA", kDomain, "ALL"}) {
    INFO(name);
    const auto bundles = TrustDomainsOf(response.secrets.at(name));
    REQUIRE(bundles.size() == 1);
    CHECK(bundles.at("example.org") == BundlePem());
  }
}

TEST_CASE_METHOD(SecretsFixture, "each domain speaks for itself") {
  AddDomain("other.org", true);
  const int32_t stream =
      Stream({"ROOTCA", kDomain, "spiffe://other.org", "ALL"});
  const Response response = Await(stream, 1);
  const auto domains_in = [&](const char *name) {
    std::vector<std::string> names;
    for (const auto &[domain, pem] :
         TrustDomainsOf(response.secrets.at(name))) {
      names.push_back(domain);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(domains_in("ROOTCA") == Names{"example.org"});
  CHECK(domains_in(kDomain) == Names{"example.org"});
  CHECK(domains_in("spiffe://other.org") == Names{"other.org"});
  CHECK(domains_in("ALL") == Names{"example.org", "other.org"});
}

TEST_CASE_METHOD(SecretsFixture, "a domain without authorities is nobody's") {
  AddDomain("gone.org", false);
  const Response response = Await(Stream({"spiffe://gone.org", "ALL"}), 1);
  const auto gone = TrustDomainsOf(response.secrets.at("spiffe://gone.org"));
  REQUIRE(gone.size() == 1);
  CHECK(gone.contains("nobody.invalid"));
  CHECK_FALSE(TrustDomainsOf(response.secrets.at("ALL")).contains("gone.org"));
}

// The validator refuses everybody of an authority that lacks a CRL as soon as
// one of the domain's has one.
TEST_CASE_METHOD(SecretsFixture, "CRLs are told where each authority has one") {
  Authorities own = source.issuer().FetchAuthorities().value();
  REQUIRE(own.crls.size() == own.certificates.size());
  CHECK(TrustDomainsOf(Await(Stream({"ROOTCA"}), 1).secrets.at("ROOTCA"))
            .at("example.org")
            .find("BEGIN X509 CRL") != std::string::npos);
  const TemporaryDirectory other;
  own.certificates.push_back(CreateEmbeddedCa(other.File("ca"), "example.org")
                                 .value()
                                 ->FetchAuthorities()
                                 .value()
                                 .certificates[0]);
  source.SetBundle(TrustBundle::Create({own}).value());
  CHECK(TrustDomainsOf(Await(Stream({"ROOTCA"}), 1).secrets.at("ROOTCA"))
            .at("example.org")
            .find("BEGIN X509 CRL") == std::string::npos);
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

TEST_CASE_METHOD(SecretsFixture, "who asks once and closes is answered") {
  for (const char *method : {"StreamSecrets", "DeltaSecrets"}) {
    const GrpcAnswer &answer =
        client.AwaitEnd(client.Call(FieldsOf(method), Request({}), true));
    CHECK(answer.code() == kOk);
    CHECK(answer.messages.size() == 1);
  }
}

TEST_CASE_METHOD(SecretsFixture, "an unchanged state is not pushed again") {
  const int32_t stream = Stream({"ROOTCA"});
  const Response first = Await(stream, 1);
  client.SendMore(stream, Request({"ROOTCA"}, first.nonce));
  // Another object that says the same.
  source.SetBundle(
      TrustBundle::Create(source.bundle(SpiffeId())->authorities()).value());
  api->NotifyChanged();
  AddDomain("other.org", true);
  api->NotifyChanged();
  client.SendMore(stream, Request({"ROOTCA", "ALL"}, first.nonce));
  CHECK(Await(stream, 2).secrets.contains("ALL"));
}

TEST_CASE_METHOD(SecretsFixture, "names that were taken back mean nothing") {
  WholeSecretStream stream(SecretTypeUrl::kOptional);
  const auto take = [&](const std::vector<std::string> &names) {
    const std::string nonce = stream.has_answered() ? "1" : "";
    REQUIRE(stream.Take(Request(names, nonce).substr(5)).ok());
  };
  const auto next = [&] {
    return stream.Next(FakeWorkloadApiSource::Id("demo/web"), source).value();
  };
  take({"default"});
  CHECK(next() != nullptr);
  take({});  // not everything, as it would be at first
  CHECK(next() == nullptr);
  source.Rotate();
  CHECK(next() == nullptr);
  take({"*"});
  CHECK(next() != nullptr);
}

TEST_CASE_METHOD(SecretsFixture, "what is wanted again is sent again") {
  WholeSecretStream stream(SecretTypeUrl::kOptional);
  const auto take = [&](const std::vector<std::string> &names,
                        const std::string &nonce) {
    REQUIRE(stream.Take(Request(names, nonce).substr(5)).ok());
  };
  const auto next = [&] {
    return stream.Next(FakeWorkloadApiSource::Id("demo/web"), source).value();
  };
  take({"default"}, "7");  // of a stream before
  CHECK(next() != nullptr);
  take({"default"}, "1");
  CHECK(next() == nullptr);
  take({}, "1");
  CHECK(next() == nullptr);
  take({"default"}, "1");
  CHECK(next() != nullptr);
  // Although nobody looked in between.
  take({"default", "ROOTCA"}, "2");
  CHECK(next() != nullptr);
  take({"default"}, "3");
  take({"default", "ROOTCA"}, "3");
  CHECK(next() != nullptr);
}

TEST_CASE_METHOD(SecretsFixture, "who asks once needs no nonce to be right") {
  const GrpcAnswer &answer = client.AwaitEnd(
      client.Call(FieldsOf("FetchSecrets"), Request({"default"}, "1")));
  CHECK(answer.code() == kOk);
  CHECK(answer.messages.size() == 1);
}

TEST_CASE_METHOD(SecretsFixture, "other types on a stream leave the secrets") {
  const auto fields = AggregatedFieldsOf("StreamAggregatedResources");
  DiscoveryRequest clusters;
  clusters.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  const int32_t stream =
      client.Call(fields, WithPrefix(clusters.SerializeAsString()), false);
  client.SendMore(stream, Request({"default"}));
  CHECK(Await(stream, 1).secrets.contains("default"));
}

TEST_CASE_METHOD(SecretsFixture, "a stream of any type has secrets as well") {
  const auto fields = AggregatedFieldsOf("StreamAggregatedResources");
  CHECK(Await(client.Call(fields, Request({"default"}), false), 1)
            .secrets.contains("default"));
  DiscoveryRequest untyped;
  CHECK(client
            .AwaitEnd(client.Call(
                fields, WithPrefix(untyped.SerializeAsString()), false))
            .code() == kInvalidArgument);
}

TEST_CASE_METHOD(SecretsFixture, "a proxy's first request may be large") {
  const std::string node =
      "\x12" + std::string("\xe0\xd4\x03") + std::string(60'000, '\0');
  const std::string request = Request({"default"}).substr(5) + node;
  const int32_t stream =
      client.Call(FieldsOf("StreamSecrets"), WithPrefix(request), false);
  CHECK(Await(stream, 1).secrets.size() == 1);
  const std::string too_large(GrpcRequest::kMaxLargeBytes + 1, '\0');
  const GrpcAnswer &refused = client.AwaitEnd(
      client.Call(FieldsOf("StreamSecrets"), WithPrefix(too_large), false));
  CHECK(refused.code() == kResourceExhausted);
  CHECK(refused.text() ==
        "a request of 262145 bytes; this method takes at most 262144");
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
  DiscoveryRequest clusters;
  clusters.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  CHECK(client
            .AwaitEnd(client.Call(FieldsOf("FetchSecrets"),
                                  WithPrefix(clusters.SerializeAsString())))
            .code() == kInvalidArgument);
  CHECK(
      client.AwaitEnd(client.Call(FieldsOf("FetchSecrets"), "", true)).code() ==
      kUnimplemented);
  CHECK(client.AwaitEnd(client.Call(FieldsOf("StreamSecrets"), "", true))
            .code() == kOk);
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
