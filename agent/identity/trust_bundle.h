// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/identity/peer_identity.h"
#include "kith/issuer.h"

namespace kith {

// VerifiedJwtSvid is the content of a valid JWT-SVID.
struct VerifiedJwtSvid {
  SpiffeId id;
  std::string claims;  // the JSON object that was signed
};

// SvidName identifies one X509-SVID. An empty authority means unknown. It
// refers to strings that others own.
struct SvidName {
  std::string_view trust_domain;
  std::string_view serial;
  std::string_view authority;
};

// TrustBundle holds the authorities of each trusted domain. Immutable and
// thread-safe. A peer is verified against the bundle of its own trust domain
// only (SPIFFE X509-SVID standard, section 5).
class TrustBundle {
 public:
  // Create rejects authorities that are no CA certificates (X509-SVID
  // standard, section 4).
  static absl::StatusOr<std::shared_ptr<const TrustBundle>> Create(
      std::vector<Authorities> domains);

  virtual ~TrustBundle() = default;

  // VerifyPeer checks `chain` (leaf first, as the peer sent it) by the rules of
  // the X509-SVID standard, sections 4 and 5: one URI SAN that is a SPIFFE ID
  // with a path, leaf no CA, key usage, validity at `now`, path to an authority
  // of the peer's own trust domain. Errors carry a canonical code that
  // handshake/ turns into the TLS alert (RFC 8446 section 6.2):
  //   InvalidArgument     bad_certificate (malformed, breaks an SVID rule)
  //   DeadlineExceeded    certificate_expired (or not yet valid)
  //   NotFound            unknown_ca (trust domain or authority unknown)
  //   FailedPrecondition  certificate_revoked (serial or authority)
  // Verified chains are remembered (bounded), so that a peer that reconnects
  // costs no signature check of its chain; validity is checked every time.
  virtual absl::StatusOr<PeerIdentity> VerifyPeer(
      const std::vector<Der> &chain,
      std::chrono::system_clock::time_point now) const = 0;

  // CheckInForce returns FailedPrecondition, with the reason, for an SVID that
  // is revoked, or whose authority is tainted or revoked. It does not check
  // validity. OK if the state is not known here: SVIDs of trust domains without
  // CRLs.
  virtual absl::Status CheckInForce(const SvidName &svid) const = 0;

  // VerifyJwtSvid checks a token by the rules of the JWT-SVID standard,
  // sections 2, 3 and 5, with the keys of the trust domain in its `sub`.
  // InvalidArgument says what is wrong with the token, without its bytes.
  virtual absl::StatusOr<VerifiedJwtSvid> VerifyJwtSvid(
      std::string_view token,
      std::string_view audience,
      std::chrono::system_clock::time_point now) const = 0;

  virtual std::vector<std::string> trust_domains() const = 0;

  // authorities returns the authorities that Create was given.
  virtual const std::vector<Authorities> &authorities() const = 0;
};

}  // namespace kith
