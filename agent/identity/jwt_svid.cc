// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/jwt_svid.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "agent/identity/certificate_builder.h"
#include "agent/identity/crypto_error.h"
#include "agent/identity/jws.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

using nlohmann::json;

int64_t SecondsOf(Clock::TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch())
      .count();
}

// The text is invalid UTF-8 only if the caller's text is.
std::string TextOf(const json &object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

absl::Status Invalid(std::string_view why) {
  return absl::InvalidArgumentError(why);
}

absl::StatusOr<json> ParseObject(std::string_view text, std::string_view what) {
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return Invalid(absl::StrCat("the token's ", what, " is no JSON object"));
  }
  return object;
}

std::string StringIn(const json &object, const char *name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : std::string();
}

struct Header {
  std::string algorithm;
  std::string key_id;  // "": the header has none
};

// JWT-SVID standard, section 2: `alg`, `kid` and `typ` and nothing else.
absl::StatusOr<Header> ReadHeader(const std::string &text) {
  absl::StatusOr<json> object = ParseObject(text, "header");
  if (!object.ok()) {
    return object.status();
  }
  for (const auto &[name, value] : object->items()) {
    if (name != "alg" && name != "kid" && name != "typ") {
      return Invalid("the token's header has other fields than alg, kid, typ");
    }
    if (!value.is_string()) {
      return Invalid("a field of the token's header is no string");
    }
  }
  const std::string type = StringIn(*object, "typ");
  if (object->contains("typ") && type != "JWT" && type != "JOSE") {
    return Invalid("the token's type is not JWT or JOSE");
  }
  return Header{StringIn(*object, "alg"), StringIn(*object, "kid")};
}

bool HasAudience(const json &claims, std::string_view wanted) {
  const auto audience = claims.find("aud");
  if (audience == claims.end()) {
    return false;
  }
  const auto is_wanted = [wanted](const json &one) {
    return one.is_string() && one.get_ref<const std::string &>() == wanted;
  };
  return audience->is_array() ? std::ranges::any_of(*audience, is_wanted)
                              : is_wanted(*audience);
}

// NumericDate of RFC 7519 section 2. A missing `exp` is never, which is an
// error.
absl::Status CheckTimes(const json &claims, Clock::TimePoint now) {
  const auto seconds = static_cast<double>(SecondsOf(now));
  const auto skew = static_cast<double>(
      std::chrono::duration_cast<std::chrono::seconds>(kClockSkew).count());
  const auto expiry = claims.find("exp");
  if (expiry == claims.end() || !expiry->is_number()) {
    return Invalid("the token has no expiry");
  }
  if (expiry->get<double>() <= seconds) {
    return Invalid("the token has expired");
  }
  for (const char *name : {"nbf", "iat"}) {
    const auto begin = claims.find(name);
    if (begin == claims.end()) {
      continue;
    }
    if (!begin->is_number() || begin->get<double>() > seconds + skew) {
      return Invalid("the token is not valid yet: check the clocks");
    }
  }
  return absl::OkStatus();
}

const Authorities *FindDomain(const std::vector<Authorities> &domains,
                              std::string_view trust_domain) {
  const auto found =
      std::ranges::find(domains, trust_domain, &Authorities::trust_domain);
  return found == domains.end() ? nullptr : &*found;
}

// A token without a key ID may be signed by any key of the domain.
absl::Status CheckSignature(const JwsParts &parts,
                            const Header &header,
                            const Authorities &domain) {
  absl::Status status = Invalid(
      "no key of the trust domain has the token's "
      "key ID");
  for (const JwtAuthority &authority : domain.jwt_keys) {
    if (!header.key_id.empty() && header.key_id != authority.key_id) {
      continue;
    }
    auto key = ParseVerificationKey(authority.public_key);
    status = key.ok() ? VerifyJws(parts, header.algorithm, key->get())
                      : key.status();
    if (status.ok()) {
      break;
    }
  }
  return status;
}

}  // namespace

absl::StatusOr<std::string> SignJwtSvid(const JwtSvidRequest &request,
                                        const JwtSigner &signer,
                                        Clock::TimePoint now) {
  if (request.audience.empty() ||
      std::ranges::count(request.audience, "") != 0) {
    return Invalid("a JWT-SVID needs an audience");
  }
  // Large enough that no two tokens ever have the same.
  std::array<char, 16> unique{};
  RAND_bytes(reinterpret_cast<uint8_t *>(unique.data()), unique.size());
  const int64_t issued = SecondsOf(now);
  const json header = {
      {"alg", "ES256"}, {"kid", signer.key_id}, {"typ", "JWT"}};
  json claims = {{"aud", request.audience},
                 {"exp", issued + std::chrono::seconds(kJwtSvidTtl).count()},
                 {"iat", issued},
                 {"jti",
                  absl::WebSafeBase64Escape(
                      std::string_view(unique.data(), unique.size()))},
                 {"sub", request.id.uri()}};
  if (!request.issuer.empty()) {
    claims["iss"] = request.issuer;
  }
  return SignJws(TextOf(header), TextOf(claims), signer.key);
}

absl::StatusOr<VerifiedJwtSvid> VerifyJwtSvid(
    std::string_view token,
    std::string_view audience,
    const std::vector<Authorities> &domains,
    Clock::TimePoint now) {
  absl::StatusOr<JwsParts> parts = SplitJws(token);
  if (!parts.ok()) {
    return parts.status();
  }
  absl::StatusOr<Header> header = ReadHeader(parts->header);
  if (!header.ok()) {
    return header.status();
  }
  absl::StatusOr<json> claims = ParseObject(parts->payload, "payload");
  if (!claims.ok()) {
    return claims.status();
  }
  absl::StatusOr<SpiffeId> id = SpiffeId::Parse(StringIn(*claims, "sub"));
  if (!id.ok() || id->path().empty()) {
    return Invalid("the token's subject is no workload's SPIFFE ID");
  }
  const Authorities *domain = FindDomain(domains, id->trust_domain());
  if (domain == nullptr) {
    return Invalid("the trust domain of the token's subject is not trusted");
  }
  // No claim of the token counts before its signature is checked.
  if (absl::Status status = CheckSignature(*parts, *header, *domain);
      !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckTimes(*claims, now); !status.ok()) {
    return status;
  }
  if (!HasAudience(*claims, audience)) {
    return Invalid("the token is for another audience");
  }
  return VerifiedJwtSvid{*std::move(id), std::move(parts->payload)};
}

}  // namespace kith
