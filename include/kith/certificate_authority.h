// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "kith/spiffe_id.h"

namespace kith {

// SvidRecord is one X509-SVID as its issuer and its flows know it.
struct SvidRecord {
  std::string serial;     // lower-case hex, no separators
  std::string authority;  // key identifier of the signer; empty: not known
  std::string spiffe_id;
  std::chrono::system_clock::time_point not_after;
};

// SvidTarget is what an operator revokes: one SVID, or every one of an ID.
struct SvidTarget {
  std::string serial;
  std::optional<SpiffeId> id;

  bool Names(const SvidRecord &svid) const {
    return id.has_value() ? svid.spiffe_id == id->uri() : svid.serial == serial;
  }
};

// The states of an authority in the trust bundle, in their order. A prepared
// one is only published. A tainted one authenticates nobody here, but is still
// in the bundles of applications and other trust domains; a revoked one is
// removed.
enum class AuthorityState { kPrepared, kActive, kOld, kTainted };

// StateName returns "prepared", "active", "old" or "tainted".
inline std::string_view StateName(AuthorityState state) {
  switch (state) {
    case AuthorityState::kPrepared:
      return "prepared";
    case AuthorityState::kActive:
      return "active";
    case AuthorityState::kOld:
      return "old";
    case AuthorityState::kTainted:
      return "tainted";
  }
  return "";
}

struct AuthorityRecord {
  std::string id;  // key identifier, lower-case hex
  AuthorityState state = AuthorityState::kPrepared;
  std::chrono::system_clock::time_point since;  // of the state
  std::chrono::system_clock::time_point not_after;
  size_t svids = 0;   // alive, signed by it
  std::string files;  // its certificate and CRL, without .crt and .crl
};

enum class AuthorityChange { kPrepare, kActivate, kTaint, kRevoke };

struct AuthorityOrder {
  AuthorityChange change = AuthorityChange::kPrepare;
  std::string id;        // empty: of kPrepare, and of the only prepared one
  bool at_once = false;  // activate, even if published only now
};

// JwtKeyRecord is a key that signs JWT-SVIDs: prepared, active or old. An old
// key is published until the last token that it signed has expired.
struct JwtKeyRecord {
  std::string id;  // `kid` of its tokens
  AuthorityState state = AuthorityState::kPrepared;
  std::chrono::system_clock::time_point signs_from;
};

// CertificateAuthority is the operator's interface to an issuer that holds its
// own keys. Thread-safe; calls may block. Changes are on disk when a call
// returns, and in force once Issuer::FetchAuthorities is called afterwards.
class CertificateAuthority {
 public:
  virtual ~CertificateAuthority() = default;

  // RevokeSvids revokes what `target` names among the SVIDs issued here and
  // among `in_use`, and returns them. NotFound: none match. ResourceExhausted:
  // too many are revoked at this time.
  virtual absl::StatusOr<std::vector<SvidRecord>> RevokeSvids(
      const SvidTarget &target, const std::vector<SvidRecord> &in_use) = 0;

  // ListAuthorities returns the oldest first.
  virtual absl::StatusOr<std::vector<AuthorityRecord>> ListAuthorities() = 0;

  // ChangeAuthority returns the identifier of the changed authority.
  // FailedPrecondition: the authority's state forbids the change; NotFound: no
  // authority has that name; ResourceExhausted: there are too many.
  virtual absl::StatusOr<std::string> ChangeAuthority(
      const AuthorityOrder &order) = 0;

  // ListJwtKeys returns the oldest first.
  virtual absl::StatusOr<std::vector<JwtKeyRecord>> ListJwtKeys() = 0;

  // RotateJwtKey creates a key that signs as soon as every verifier can have
  // it, or at once, and returns its id. FailedPrecondition: one is prepared
  // already.
  virtual absl::StatusOr<std::string> RotateJwtKey(bool at_once) = 0;

  // RevokeJwtKey deletes a key: no verifier accepts its tokens any more. If it
  // was the active key, another one signs at once. NotFound: no such key.
  virtual absl::Status RevokeJwtKey(const std::string &id) = 0;
};

}  // namespace kith
