// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "kith/secret.h"
#include "kith/spiffe_id.h"

namespace kith {

// Der is one DER-encoded object (certificate or public key).
using Der = std::vector<uint8_t>;

// SvidRequest asks for an X509-SVID over a key of the agent; the key signs the
// request. An issuer that makes keys itself may ignore the request's key.
struct SvidRequest {
  SpiffeId id;
  Der csr;  // PKCS#10 (RFC 2986): the names below, and the key
  std::vector<std::string> dns_names;
  std::chrono::seconds ttl{0};
};

// IssuedSvid is the answer: leaf first, then intermediates, without the root.
struct IssuedSvid {
  std::vector<Der> chain;
  // The leaf's key as unencrypted PKCS#8 PEM, if the issuer made it; empty: the
  // key of the request.
  Secret private_key = {};
};

// JwtAuthority is a key that signs the JWT-SVIDs of a trust domain.
struct JwtAuthority {
  std::string key_id;  // `kid` of the tokens
  Der public_key;      // SubjectPublicKeyInfo

  bool operator==(const JwtAuthority &) const = default;
};

// Authorities verify the SVIDs of one trust domain.
struct Authorities {
  std::string trust_domain;
  std::vector<Der> certificates;
  std::vector<JwtAuthority> jwt_keys;
  // X.509 CRLs (RFC 5280 section 5), each signed by one of `certificates`, and
  // the key identifiers of tainted authorities, which authenticate nobody any
  // more. A domain without CRLs does not publish revocations.
  std::vector<Der> crls = {};
  std::vector<std::string> tainted = {};
  // True: an SVID of an authority that is not listed here is revoked. It is
  // true if there are CRLs, and for bundles of other trust domains (SPIFFE
  // Trust Domain and Bundle, section 4.2: no keys mean no trust).
  bool names_all = false;

  bool operator==(const Authorities &) const = default;
};

// JwtSvidRequest asks for a JWT-SVID. The issuer chooses its lifetime.
struct JwtSvidRequest {
  SpiffeId id;
  std::vector<std::string> audience;  // not empty
  std::string issuer = {};            // `iss`; empty: the token has none
};

class CertificateAuthority;

// Issuer signs SVIDs. Implementations are thread-safe; calls may block, so that
// event loops must not make them.
class Issuer {
 public:
  virtual ~Issuer() = default;

  // Issue returns Unavailable for a temporary fault (the caller retries with
  // back-off), any other error for a request that can never succeed.
  virtual absl::StatusOr<IssuedSvid> Issue(const SvidRequest &request) = 0;

  // FetchAuthorities returns the authorities of the issuer's trust domain.
  virtual absl::StatusOr<Authorities> FetchAuthorities() = 0;

  // IssueJwt returns a token (JWS compact serialization, RFC 7515 section 7.1).
  // Errors are those of Issue. Unimplemented: this issuer signs no tokens.
  virtual absl::StatusOr<std::string> IssueJwt(const JwtSvidRequest &) {
    return absl::UnimplementedError(Describe() + " issues no JWT-SVIDs");
  }

  // authority returns the part that an operator may change; null if another
  // system owns the keys. Lives as long as the issuer.
  virtual CertificateAuthority *authority() { return nullptr; }

  // Describe names the issuer in status and logs, e.g. "embedded CA /var/...".
  virtual std::string Describe() const = 0;
};

}  // namespace kith
