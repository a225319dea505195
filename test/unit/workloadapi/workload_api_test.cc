// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/workload_api.h"

#include <string>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/mem.h>

#include "agent/identity/certificate.h"
#include "agent/identity/crl.h"
#include "kith/certificate_authority.h"
#include "test/unit/workloadapi/api_fixture.h"

namespace kith {
namespace {

constexpr const char *kWeb = "spiffe://example.org/demo/web";

std::string Bytes(const Der &der) {
  return {der.begin(), der.end()};
}

TEST_CASE_METHOD(ApiFixture, "FetchX509SVID gives the SVID with its key") {
  GrpcClient client(path);
  const GrpcAnswer &answer =
      client.AwaitMessages(client.Call("FetchX509SVID"), 1);
  CHECK(answer.headers.at(":status") == "200");
  CHECK(answer.headers.at("content-type") == "application/grpc");
  CHECK(!answer.closed);
  const X509SVID svid = SvidIn(answer.messages[0]);
  CHECK(svid.spiffe_id() == kWeb);
  CHECK(svid.x509_svid() == Bytes(source.svid()->chain()[0]));
  CHECK(svid.bundle() ==
        Bytes(source.bundle(SpiffeId())->authorities()[0].certificates[0]));
  CBS cbs;
  CBS_init(&cbs,
           reinterpret_cast<const uint8_t *>(svid.x509_svid_key().data()),
           svid.x509_svid_key().size());
  const bssl::UniquePtr<EVP_PKEY> key(EVP_parse_private_key(&cbs));
  REQUIRE(key != nullptr);
  CHECK(CBS_len(&cbs) == 0);
  CHECK(EVP_PKEY_cmp(key.get(), source.svid()->key()) == 1);
}

TEST_CASE_METHOD(ApiFixture, "a renewed SVID is pushed, an old one is not") {
  GrpcClient client(path);
  const int32_t stream = client.Call("FetchX509SVID");
  client.AwaitMessages(stream, 1);
  api->NotifyChanged();  // nothing is new
  source.Rotate();
  api->NotifyChanged();
  const GrpcAnswer &answer = client.AwaitMessages(stream, 2);
  REQUIRE(answer.messages.size() == 2);
  CHECK(SvidIn(answer.messages[1]).x509_svid() ==
        Bytes(source.svid()->chain()[0]));
  CHECK(answer.messages[0] != answer.messages[1]);
}

TEST_CASE_METHOD(ApiFixture, "a renewal concerns those who have the identity") {
  GrpcClient client(path);
  const int32_t stream = client.Call("FetchX509SVID");
  client.AwaitMessages(stream, 1);
  const int identified = source.identified();
  api->NotifyRenewed(FakeWorkloadApiSource::Id("demo/db"));
  source.Rotate();
  api->NotifyRenewed(FakeWorkloadApiSource::Id("demo/web"));
  CHECK(client.AwaitMessages(stream, 2).messages.size() == 2);
  CHECK(source.identified() == identified + 1);
}

TEST_CASE_METHOD(ApiFixture, "another identity is pushed") {
  GrpcClient client(path);
  const int32_t stream = client.Call("FetchX509SVID");
  client.AwaitMessages(stream, 1);
  source.Serve(FakeWorkloadApiSource::Id("demo/db"));
  api->NotifyChanged();
  CHECK(SvidIn(client.AwaitMessages(stream, 2).messages.at(1)).spiffe_id() ==
        "spiffe://example.org/demo/db");
}

TEST_CASE_METHOD(ApiFixture, "a caller that no longer matches loses streams") {
  GrpcClient client(path);
  const std::vector<int32_t> streams = {client.Call("FetchX509SVID"),
                                        client.Call("FetchX509Bundles"),
                                        client.Call("FetchJWTBundles")};
  for (const int32_t stream : streams) {
    client.AwaitMessages(stream, 1);
  }
  source.Serve(absl::PermissionDeniedError("no selectors match"));
  api->NotifyChanged();
  for (const int32_t stream : streams) {
    const GrpcAnswer &answer = client.AwaitEnd(stream);
    CHECK(answer.code() == kPermissionDenied);
    CHECK(answer.text() == "no selectors match");
  }
}

TEST_CASE_METHOD(ApiFixture, "a process that changed is identified again") {
  GrpcClient client(path);
  const int32_t stream = client.Call("FetchX509SVID");
  client.AwaitMessages(stream, 1);
  // As after setuid(): no event tells of it.
  source.Serve(absl::PermissionDeniedError("no selectors match"));
  source.SetFacts({.uid = 7});
  CHECK(client.AwaitEnd(stream).code() == kPermissionDenied);
}

TEST_CASE_METHOD(ApiFixture, "a fault that passes does not end a stream") {
  GrpcClient client(path);
  const int32_t stream = client.Call("FetchX509SVID");
  client.AwaitMessages(stream, 1);
  source.Withhold();
  api->NotifyChanged();
  GrpcClient other(path);
  const GrpcAnswer &late = other.AwaitEnd(other.Call("FetchX509SVID"));
  CHECK(late.code() == kUnavailable);
  CHECK(late.messages.empty());
  source.Rotate();
  api->NotifyChanged();
  CHECK(client.AwaitMessages(stream, 2).messages.size() == 2);
}

TEST_CASE_METHOD(ApiFixture, "a caller without identity is refused") {
  source.Serve(absl::PermissionDeniedError("100% nobody\n"));
  GrpcClient client(path);
  for (const char *method :
       {"FetchX509SVID", "FetchX509Bundles", "FetchJWTBundles"}) {
    const GrpcAnswer &answer = client.AwaitEnd(client.Call(method));
    CHECK(answer.code() == kPermissionDenied);
    CHECK(answer.text() == "100%25 nobody%0A");
    CHECK(answer.messages.empty());
  }
  CHECK(FetchJwt({"api"}).code() == kPermissionDenied);
  CHECK(Validate("api", "a.b.c").code() == kPermissionDenied);
}

TEST_CASE_METHOD(ApiFixture, "bundles are pushed when they change") {
  GrpcClient client(path);
  const int32_t x509 = client.Call("FetchX509Bundles");
  const int32_t jwt = client.Call("FetchJWTBundles");
  const auto roots =
      Parsed<X509BundlesResponse>(client.AwaitMessages(x509, 1).messages[0]);
  REQUIRE(roots.bundles().contains("spiffe://example.org"));
  const auto keys =
      Parsed<JWTBundlesResponse>(client.AwaitMessages(jwt, 1).messages[0]);
  const auto set =
      nlohmann::json::parse(keys.bundles().at("spiffe://example.org"));
  CHECK(set.at("keys").size() == 1);
  // PyJWT and Nimbus refuse every key whose use they do not know.
  CHECK_FALSE(set.at("keys").at(0).contains("use"));

  std::vector<Authorities> domains = source.bundle(SpiffeId())->authorities();
  domains.push_back({"other.org", {}, {}});
  source.SetBundle(TrustBundle::Create(domains).value());
  api->NotifyChanged();
  const auto both =
      Parsed<X509BundlesResponse>(client.AwaitMessages(x509, 2).messages.at(1));
  CHECK(both.bundles_size() == 2);
  CHECK(both.bundles().contains("spiffe://other.org"));
  CHECK(client.AwaitMessages(jwt, 2).messages.size() == 2);
}

TEST_CASE_METHOD(ApiFixture, "bundles that say the same are not pushed again") {
  std::vector<Authorities> domains = source.bundle(SpiffeId())->authorities();
  for (const char *name : {"a.org", "b.org", "c.org", "d.org", "e.org"}) {
    domains.push_back({name, {}, {}});
  }
  source.SetBundle(TrustBundle::Create(domains).value());
  GrpcClient client(path);
  std::vector<int32_t> streams;
  for (const char *method :
       {"FetchX509SVID", "FetchX509Bundles", "FetchJWTBundles"}) {
    streams.push_back(client.Call(method));
    client.AwaitMessages(streams.back(), 1);
  }
  const auto identified = source.identified();
  for (int i = 0; i < 5; ++i) {
    source.SetBundle(TrustBundle::Create(domains).value());
    api->NotifyChanged();
    // Until all of them have looked.
    client.AwaitMessages(client.Call("FetchX509Bundles"), 1);
  }
  CHECK(source.identified() > identified);
  source.Rotate();
  domains.push_back({"f.org", {}, {}});
  source.SetBundle(TrustBundle::Create(domains).value());
  api->NotifyChanged();
  for (const int32_t stream : streams) {
    client.AwaitMessages(stream, 2);
    CHECK(client.at(stream).messages.size() == 2);
  }
}

TEST_CASE_METHOD(ApiFixture, "what is revoked is told") {
  GrpcClient client(path);
  const int32_t svid = client.Call("FetchX509SVID");
  const int32_t bundles = client.Call("FetchX509Bundles");
  const auto revoked = [&](size_t message) {
    const auto of_svid = Parsed<X509SVIDResponse>(
        client.AwaitMessages(svid, message).messages.at(message - 1));
    const auto of_bundle = Parsed<X509BundlesResponse>(
        client.AwaitMessages(bundles, message).messages.at(message - 1));
    REQUIRE(of_svid.crl_size() == 1);
    REQUIRE(of_bundle.crl_size() == 1);
    CHECK(of_svid.crl(0) == of_bundle.crl(0));
    const Der der(of_svid.crl(0).begin(), of_svid.crl(0).end());
    const auto signer =
        ParseCertificate(
            source.bundle(SpiffeId())->authorities()[0].certificates[0])
            .value();
    return ReadCrl(der, signer.get())->revoked;
  };
  CHECK(revoked(1).empty());
  const std::string serial = source.svid()->serial();
  REQUIRE(source.issuer()
              .authority()
              ->RevokeSvids({serial, std::nullopt}, {})
              .ok());
  source.SetBundle(
      TrustBundle::Create({source.issuer().FetchAuthorities().value()})
          .value());
  api->NotifyChanged();
  const auto now = revoked(2);
  REQUIRE(now.size() == 1);
  CHECK(now[0].serial == serial);
}

TEST_CASE_METHOD(ApiFixture, "without a bundle the API is not ready") {
  source.SetBundle(nullptr);
  GrpcClient client(path);
  for (const char *method :
       {"FetchX509SVID", "FetchX509Bundles", "FetchJWTBundles"}) {
    CHECK(client.AwaitEnd(client.Call(method)).code() == kUnavailable);
  }
}

TEST_CASE_METHOD(ApiFixture, "JWT-SVIDs are issued and validated") {
  const GrpcAnswer issued = FetchJwt({"api", "db"}, kWeb);
  REQUIRE(issued.code() == kOk);
  const auto response = Parsed<JWTSVIDResponse>(issued.messages.at(0));
  REQUIRE(response.svids_size() == 1);
  CHECK(response.svids(0).spiffe_id() == kWeb);

  const GrpcAnswer valid = Validate("db", response.svids(0).svid());
  REQUIRE(valid.code() == kOk);
  const auto validated = Parsed<ValidateJWTSVIDResponse>(valid.messages.at(0));
  CHECK(validated.spiffe_id() == kWeb);
  const auto &fields = validated.claims().fields();
  CHECK(fields.at("sub").string_value() == kWeb);
  CHECK(fields.at("aud").list_value().values(1).string_value() == "db");
  CHECK(fields.at("exp").number_value() ==
        fields.at("iat").number_value() + 300);

  const GrpcAnswer other = Validate("web", response.svids(0).svid());
  CHECK(other.code() == kInvalidArgument);
  CHECK(other.text() == "the token is for another audience");
  CHECK(Validate("db", "no.token").code() == kInvalidArgument);
}

TEST_CASE_METHOD(ApiFixture, "JWT requests lack nothing") {
  CHECK(FetchJwt({}).code() == kInvalidArgument);
  CHECK(FetchJwt({""}).code() == kInvalidArgument);
  CHECK(FetchJwt({"api"}, "spiffe://example.org/demo/db").code() ==
        kPermissionDenied);
  CHECK(Validate("", "a.b.c").code() == kInvalidArgument);
  CHECK(Validate("api", "").code() == kInvalidArgument);
}

TEST_CASE_METHOD(ApiFixture, "the security header is required") {
  GrpcClient client(path);
  for (const char *value : {"", "false", "TRUE", "true,true"}) {
    GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
    fields.pop_back();
    if (*value != '\0') {
      fields.emplace_back("workload.spiffe.io", value);
    }
    const GrpcAnswer &answer =
        client.AwaitEnd(client.Call(fields, WithPrefix("")));
    CHECK(answer.code() == kInvalidArgument);
    CHECK(answer.text().find("security header") != std::string::npos);
  }
  CHECK(source.identified() == 0);
}

}  // namespace
}  // namespace kith
