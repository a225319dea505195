// SPDX-License-Identifier: Apache-2.0
#pragma once

// Envoy's secret discovery service, by the bytes of its messages.
#include <map>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <openssl/evp.h>

#include "agent/identity/certificate_pem.h"
#include "agent/identity/private_key.h"
#include "agent/workloadapi/discovery_requests.pb.h"
#include "test/unit/workloadapi/api_fixture.h"

namespace kith {

inline constexpr const char *kWeb = "spiffe://example.org/demo/web";
inline constexpr const char *kDomain = "spiffe://example.org";
inline constexpr const char *kType =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryRequest;

// A message of length-delimited fields, by their numbers.
using Fields = std::multimap<uint64_t, std::string>;

inline uint64_t TakeVarint(std::string_view &text) {
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

inline Fields Parse(std::string_view text) {
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

inline std::string Only(const Fields &fields, uint64_t number) {
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

inline std::string InlineBytes(const std::string &source) {
  return Only(Parse(source), 2);
}

// TrustDomainsOf returns the bundles (PEM) of Envoy's SPIFFE validator, by
// domain, of a validation context that has nothing else.
inline std::map<std::string, std::string> TrustDomainsOf(const Fields &secret) {
  const Fields context = Parse(Only(secret, 4));
  CHECK(context.size() == 1);
  const Fields validator = Parse(Only(context, 12));
  CHECK(Only(validator, 1) == "envoy.tls.cert_validator.spiffe");
  const Fields config = Parse(Only(validator, 2));
  CHECK(Only(config, 1) ==
        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
        "SPIFFECertValidatorConfig");
  std::map<std::string, std::string> bundles;
  const Fields domains = Parse(Only(config, 2));
  for (const auto &[number, text] : domains) {
    CHECK(number == 1);
    const Fields domain = Parse(text);
    bundles[Only(domain, 1)] = InlineBytes(Only(domain, 2));
  }
  return bundles;
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

  // Of streams that may have other types of resources, too.
  static GrpcClient::Fields AggregatedFieldsOf(const std::string &method) {
    GrpcClient::Fields fields = FieldsOf("");
    fields[2].second =
        "/envoy.service.discovery.v3.AggregatedDiscoveryService/" + method;
    return fields;
  }

  static std::string Request(const std::vector<std::string> &names,
                             const std::string &nonce = "",
                             const std::string &error = "") {
    DiscoveryRequest request;
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

  // The own domain's, as the validator has them.
  std::string BundlePem() {
    const Authorities &own = source.bundle(SpiffeId())->authorities()[0];
    return CertificatesPem(own.certificates) + CrlsPem(own.crls);
  }
  // Puts domains beside the own one, whose authorities another CA is.
  void AddDomain(const std::string &name, bool with_authorities) {
    const TemporaryDirectory other;
    Authorities foreign = CreateEmbeddedCa(other.File("ca"), name)
                              .value()
                              ->FetchAuthorities()
                              .value();
    foreign.crls.clear();
    if (!with_authorities) {
      foreign.certificates.clear();
    }
    std::vector<Authorities> all = source.bundle(SpiffeId())->authorities();
    all.push_back(std::move(foreign));
    source.SetBundle(TrustBundle::Create(std::move(all)).value());
  }
};

}  // namespace kith
