// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/jwt_diagnosis.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "agent/identity/jwk.h"
#include "agent/identity/jws.h"
#include "agent/identity/private_key.h"
#include "control-client/cli/json_fields.h"
#include "kith/spiffe_id.h"

namespace kith {
namespace {

int64_t SecondsOf(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch())
      .count();
}

// `object` is ordered, or a JWK as identity/ expects it.
template <typename Object>
std::string TextIn(const Object &object, const char *name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string()
             ? member->template get<std::string>()
             : std::string();
}

std::optional<int64_t> TimeIn(const Json &claims, const char *name) {
  const auto member = claims.find(name);
  if (member == claims.end() || !member->is_number()) {
    return std::nullopt;
  }
  constexpr double kLatest = 253'402'300'799;  // the year 9999
  return static_cast<int64_t>(std::clamp(member->get<double>(), 0.0, kLatest));
}

std::vector<std::string> AudienceOf(const Json &claims) {
  std::vector<std::string> audience;
  const auto member = claims.find("aud");
  if (member == claims.end()) {
    return audience;
  }
  const Json list = member->is_array() ? *member : Json::array({*member});
  for (const Json &one : list) {
    if (one.is_string()) {
      audience.push_back(one.get<std::string>());
    }
  }
  return audience;
}

// Examiner collects the findings of one token.
class Examiner {
 public:
  Examiner(JwsParts parts, const Verifier &verifier)
      : parts_(std::move(parts)),
        verifier_(verifier),
        header_(Json::parse(parts_.header, nullptr, false)),
        claims_(Json::parse(parts_.payload, nullptr, false)) {}

  JwtDiagnosis Examine() {
    if (!header_.is_object() || !claims_.is_object()) {
      Find("malformed", "header or payload is no JSON object", kGetAToken);
      return std::move(diagnosis_);
    }
    NoteFacts();
    ExamineSubject();
    ExamineAudience();
    ExamineIssuer();
    ExamineTimes();
    ExamineKey();
    return std::move(diagnosis_);
  }

  static constexpr char kGetAToken[] =
      "give the whole token as the Workload API returned it: three parts, "
      "separated by dots";

 private:
  void Find(std::string kind, std::string message, std::string way_out) {
    diagnosis_.findings.push_back(
        {std::move(kind), std::move(message), std::move(way_out)});
  }

  void NoteFacts() {
    Json &facts = diagnosis_.facts;
    for (const char *name : {"alg", "kid"}) {
      if (std::string text = TextIn(header_, name); !text.empty()) {
        facts[name] = std::move(text);
      }
    }
    for (const char *name : {"sub", "iss", "jti"}) {
      if (std::string text = TextIn(claims_, name); !text.empty()) {
        facts[name] = std::move(text);
      }
    }
    facts["aud"] = AudienceOf(claims_);
    for (const char *name : {"iat", "nbf", "exp"}) {
      if (const auto time = TimeIn(claims_, name)) {
        facts[name] = Rfc3339(
            std::chrono::system_clock::time_point(std::chrono::seconds(*time)));
      }
    }
  }

  void ExamineSubject() {
    const auto id = SpiffeId::Parse(TextIn(claims_, "sub"));
    if (!id.ok() || id->path().empty()) {
      Find("wrong_subject",
           "sub is no workload's SPIFFE ID, so that this is no JWT-SVID",
           "fetch the token from the Workload API, not from another issuer");
    }
  }

  void ExamineAudience() {
    const std::vector<std::string> audience = AudienceOf(claims_);
    if (!verifier_.audience.has_value() ||
        std::ranges::count(audience, *verifier_.audience) != 0) {
      return;
    }
    Find("audience_mismatch",
         absl::StrCat("the token is for '",
                      absl::StrJoin(audience, "', '"),
                      "', and the verifier wants '",
                      *verifier_.audience,
                      "'"),
         "fetch a token with exactly that audience, or correct the verifier's; "
         "upper and lower case and a slash at the end make a difference");
  }

  void ExamineIssuer() {
    const std::string issuer = TextIn(claims_, "iss");
    if (!verifier_.issuer.has_value() || issuer == *verifier_.issuer) {
      return;
    }
    Find("issuer_mismatch",
         issuer.empty() ? "the token has no iss"
                        : absl::StrCat("iss is '",
                                       issuer,
                                       "', and the verifier wants '",
                                       *verifier_.issuer,
                                       "'"),
         "set oidc.issuer of kith.yaml to the verifier's issuer, character by "
         "character");
  }

  void ExamineTimes() {
    const int64_t now = SecondsOf(verifier_.now);
    const int64_t leeway = verifier_.leeway.count();
    const auto expiry = TimeIn(claims_, "exp");
    if (!expiry.has_value()) {
      Find("expired", "the token has no exp", "every JWT-SVID has one");
    } else if (*expiry + leeway <= now) {
      Find("expired",
           absl::StrCat("it expired ", now - *expiry, " s ago"),
           "fetch a token for each use or reuse it for at most half of its "
           "life; "
           "if it is new, compare the clocks of both machines");
    }
    for (const char *name : {"nbf", "iat"}) {
      const auto begin = TimeIn(claims_, name);
      if (begin.has_value() && *begin > now + leeway) {
        Find(
            "clock_skew",
            absl::StrCat(name, " is ", *begin - now, " s in the future"),
            "the verifier's clock is behind the issuer's: synchronise both, or "
            "allow the verifier a leeway");
        return;
      }
    }
  }

  void ExamineKey();
  // Judge returns OK once a key of the token's name verifies it.
  absl::Status Judge(const std::vector<JwtAuthority> &keys, bool &named) const;

  const JwsParts parts_;
  const Verifier &verifier_;
  const Json header_;
  const Json claims_;
  JwtDiagnosis diagnosis_;
};

absl::Status Examiner::Judge(const std::vector<JwtAuthority> &keys,
                             bool &named) const {
  const std::string key_id = TextIn(header_, "kid");
  absl::Status judged = absl::NotFoundError("no key");
  for (const JwtAuthority &authority : keys) {
    if (!key_id.empty() && authority.key_id != key_id) {
      continue;
    }
    named = true;
    const auto key = ParseVerificationKey(authority.public_key);
    judged = key.ok() ? VerifyJws(parts_, TextIn(header_, "alg"), key->get())
                      : key.status();
    if (judged.ok()) {
      break;
    }
  }
  return judged;
}

void Examiner::ExamineKey() {
  if (!verifier_.keys.has_value()) {
    return;
  }
  const auto &keys = *verifier_.keys;
  if (!keys.ok()) {
    Find("issuer_unreachable",
         absl::StrCat("the keys cannot be had: ", keys.status().message()),
         "check oidc.serve of kith.yaml, the way there (DNS, firewall, proxy) "
         "and "
         "its certificate; the verifier must reach the same URL");
    return;
  }
  diagnosis_.signature_checked = true;
  bool named = false;
  const absl::Status judged = Judge(*keys, named);
  if (judged.ok()) {
    return;
  }
  Find(named ? "wrong_signature" : "unknown_key",
       named ? std::string(judged.message())
             : absl::StrCat("none of the verifier's ",
                            keys->size(),
                            " keys has the kid of the token"),
       named
           ? "the token was changed, or is of another issuer: fetch a new one"
           : "the verifier has old keys, or those of another trust domain: let "
             "it read the keys again (they change daily)");
}

}  // namespace

JwtDiagnosis DiagnoseJwt(std::string_view token, const Verifier &verifier) {
  auto parts = SplitJws(token);
  if (!parts.ok()) {
    JwtDiagnosis diagnosis;
    diagnosis.findings.push_back({"malformed",
                                  std::string(parts.status().message()),
                                  Examiner::kGetAToken});
    return diagnosis;
  }
  return Examiner(*std::move(parts), verifier).Examine();
}

absl::StatusOr<std::vector<JwtAuthority>> ReadJwkSet(std::string_view text) {
  const auto set = nlohmann::json::parse(text, nullptr, false);
  const auto keys = set.is_object() ? set.find("keys") : set.end();
  if (!set.is_object() || keys == set.end() || !keys->is_array()) {
    return absl::InvalidArgumentError("the keys are no JWK Set");
  }
  std::vector<JwtAuthority> authorities;
  for (const nlohmann::json &jwk : *keys) {
    const std::string use = jwk.is_object() ? TextIn(jwk, "use") : "other";
    if (!use.empty() && use != "sig" && use != "jwt-svid") {
      continue;
    }
    if (auto key = DecodeJwk(jwk); key.ok()) {
      authorities.push_back({TextIn(jwk, "kid"), *std::move(key)});
    }
  }
  return authorities;
}

}  // namespace kith
