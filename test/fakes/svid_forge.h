// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/identity/certificate_builder.h"
#include "agent/identity/private_key.h"
#include "agent/issuer/ca_key_pair.h"
#include "kith/issuer.h"
#include "kith/spiffe_id.h"

namespace kith {

// ForgeryKind is a way to break (or keep) the rules of an X509-SVID.
enum class ForgeryKind {
  kValid,
  kIntermediate,  // valid, signed by an intermediate of the authority
  kExpired,
  kNotYetValid,
  kTwoUris,
  kNoUri,
  kTrustDomainId,  // a SPIFFE ID without a path
  kTrailingSlash,
  kCaLeaf,
  kKeyCertSign,
  kNoDigitalSignature,
  kNoKeyUsage,
  kKeyUsageNotCritical,
  kServerAuthOnly,
  kNameNotCritical,   // with an empty subject
  kOtherTrustDomain,  // a correct SVID of another domain's authority
  kUnknownCa,         // an authority that nobody knows, of the same domain
  kForeignSigner,     // our SPIFFE ID, signed by another domain's authority
  kBadSignature,
  kIntermediateNoCa,
  kIntermediateWithPath,  // the intermediate's SPIFFE ID has a path
  kPathTooLong,           // an intermediate below one with path length 0
  kNameExcluded,          // by the name constraints of the intermediate
};

// ForgeryName is the spelling on the command line, e.g. "two-uris".
std::string_view ForgeryName(ForgeryKind kind);
std::span<const ForgeryKind> AllForgeries();

struct ForgedSvid {
  bssl::UniquePtr<EVP_PKEY> key;
  std::vector<Der> chain;
};

// SvidForge makes SVIDs, valid and deliberately bad ones, with the key of an
// authority.
class SvidForge {
 public:
  // FromDirectory uses the embedded CA in a directory (creates it if missing).
  static absl::StatusOr<SvidForge> FromDirectory(
      const std::string &directory, const std::string &trust_domain);
  // InMemory makes a fresh authority, valid from a day before `now` on.
  static absl::StatusOr<SvidForge> InMemory(const std::string &trust_domain,
                                            Clock::TimePoint now);

  absl::StatusOr<ForgedSvid> Make(ForgeryKind kind,
                                  const SpiffeId &id,
                                  Clock::TimePoint now) const;

  Authorities authorities() const;
  const CaKeyPair &ca() const { return ca_; }

 private:
  SvidForge(std::string trust_domain, CaKeyPair ca)
      : trust_domain_(std::move(trust_domain)), ca_(std::move(ca)) {}

  std::string trust_domain_;
  CaKeyPair ca_;
};

}  // namespace kith
