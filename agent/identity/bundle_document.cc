// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/bundle_document.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>
#include <openssl/x509.h>

#include "agent/identity/certificate.h"
#include "agent/identity/crypto_error.h"
#include "agent/identity/jwk.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

using nlohmann::json;

absl::Status Invalid(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("the SPIFFE bundle ", why));
}

std::string_view TextIn(const json &object, const char *name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string()
             ? std::string_view(member->get_ref<const std::string &>())
             : std::string_view();
}

// Whole numbers from zero on; 2^63 seconds act like never.
absl::StatusOr<std::optional<int64_t>> NumberIn(const json &object,
                                                const char *name) {
  const auto member = object.find(name);
  if (member == object.end()) {
    return std::nullopt;
  }
  if (!member->is_number_unsigned() ||
      member->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
    return Invalid(absl::StrCat("has a ", name, " that is no number"));
  }
  return member->get<int64_t>();
}

// Section 4.2.2: exactly one certificate, in plain base64 (RFC 7517 section
// 4.7).
absl::Status AddCertificate(const json &jwk, Authorities &authorities) {
  const auto x5c = jwk.find("x5c");
  std::string der;
  if (x5c == jwk.end() || !x5c->is_array() || x5c->size() != 1 ||
      !x5c->front().is_string() ||
      !absl::Base64Unescape(x5c->front().get_ref<const std::string &>(),
                            &der)) {
    return Invalid("has an x509-svid key without exactly one x5c certificate");
  }
  Der certificate(der.begin(), der.end());
  if (auto parsed = ParseCertificate(certificate); !parsed.ok()) {
    return Invalid(
        absl::StrCat("has a wrong certificate: ", parsed.status().message()));
  }
  authorities.certificates.push_back(std::move(certificate));
  return absl::OkStatus();
}

absl::Status AddJwtKey(const json &jwk, Authorities &authorities) {
  absl::StatusOr<Der> key = DecodeJwk(jwk);
  if (absl::IsNotFound(key.status())) {
    return absl::OkStatus();
  }
  const std::string_view id = TextIn(jwk, "kid");
  if (!key.ok() || id.empty()) {
    return Invalid(key.ok() ? "has a jwt-svid key without kid"
                            : key.status().message());
  }
  authorities.jwt_keys.push_back({std::string(id), *std::move(key)});
  return absl::OkStatus();
}

absl::Status AddKey(const json &jwk, Authorities &authorities) {
  if (!jwk.is_object()) {
    return Invalid("has a key that is no JSON object");
  }
  const std::string_view use = TextIn(jwk, "use");
  if (TextIn(jwk, "kty").empty()) {
    return absl::OkStatus();
  }
  if (use == "x509-svid") {
    return AddCertificate(jwk, authorities);
  }
  return use == "jwt-svid" ? AddJwtKey(jwk, authorities) : absl::OkStatus();
}

absl::Status AddKeys(const json &keys, Authorities &authorities) {
  if (keys.size() > kMaxBundleKeys) {
    return Invalid(absl::StrCat("has more than ", kMaxBundleKeys, " keys"));
  }
  for (const json &jwk : keys) {
    if (absl::Status added = AddKey(jwk, authorities); !added.ok()) {
      return added;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<json> EncodeCertificateKey(const Der &der) {
  auto certificate = ParseCertificate(der);
  if (!certificate.ok()) {
    return certificate.status();
  }
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate->get()));
  if (key == nullptr) {
    return CryptoError(absl::StatusCode::kInvalidArgument, "X509_get_pubkey");
  }
  absl::StatusOr<Der> public_key = PublicKeyOf(key.get());
  absl::StatusOr<json> jwk =
      public_key.ok() ? EncodeJwk(*public_key) : public_key.status();
  if (jwk.ok()) {
    (*jwk)["use"] = "x509-svid";
    (*jwk)["x5c"] = {absl::Base64Escape(std::string_view(
        reinterpret_cast<const char *>(der.data()), der.size()))};
  }
  return jwk;
}

}  // namespace

absl::StatusOr<BundleDocument> ParseBundleDocument(
    std::string_view text, const std::string &trust_domain) {
  if (text.size() > kMaxBundleBytes) {
    return Invalid(absl::StrCat("has more than ", kMaxBundleBytes, " bytes"));
  }
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto keys =
      object.is_object() ? object.find("keys") : json::const_iterator();
  if (!object.is_object() || keys == object.end() || !keys->is_array()) {
    return Invalid("is no JSON object with a list of keys");
  }
  BundleDocument bundle;
  bundle.authorities.trust_domain = trust_domain;
  const auto sequence = NumberIn(object, "spiffe_sequence");
  const auto hint = NumberIn(object, "spiffe_refresh_hint");
  for (const absl::Status &status :
       {sequence.status(), hint.status(), AddKeys(*keys, bundle.authorities)}) {
    if (!status.ok()) {
      return status;
    }
  }
  bundle.sequence = *sequence;
  if (hint->has_value()) {
    bundle.refresh_hint = std::chrono::seconds(**hint);
  }
  return bundle;
}

absl::StatusOr<std::string> EncodeBundleDocument(const BundleDocument &bundle) {
  absl::StatusOr<json> keys =
      EncodeJwks(bundle.authorities.jwt_keys, kSpiffeJwkUse);
  if (!keys.ok()) {
    return keys.status();
  }
  for (const Der &certificate : bundle.authorities.certificates) {
    absl::StatusOr<json> jwk = EncodeCertificateKey(certificate);
    if (!jwk.ok()) {
      return jwk.status();
    }
    keys->push_back(*std::move(jwk));
  }
  json object = {{"keys", *std::move(keys)}};
  if (bundle.sequence.has_value()) {
    object["spiffe_sequence"] = *bundle.sequence;
  }
  if (bundle.refresh_hint.has_value()) {
    object["spiffe_refresh_hint"] = bundle.refresh_hint->count();
  }
  return object.dump();
}

}  // namespace kith
