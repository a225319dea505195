// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/trust_bundle.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/identity/chain_verifier.h"
#include "agent/identity/jwt_svid.h"
#include "agent/identity/verified_chains.h"

namespace kith {
namespace {

using Verifiers =
    std::map<std::string, std::unique_ptr<const ChainVerifier>, std::less<>>;

class CachingTrustBundle final : public TrustBundle {
 public:
  CachingTrustBundle(std::vector<Authorities> authorities, Verifiers verifiers)
      : authorities_(std::move(authorities)),
        verifiers_(std::move(verifiers)) {}

  absl::StatusOr<PeerIdentity> VerifyPeer(
      const std::vector<Der> &chain,
      std::chrono::system_clock::time_point now) const override {
    if (absl::Status status = CheckBounds(chain); !status.ok()) {
      return status;
    }
    const ChainDigest digest = DigestOf(chain);
    if (std::optional<VerifiedChain> known = verified_.Find(digest);
        known.has_value() && known->validity.Contains(now)) {
      return std::move(known->peer);
    }
    // An expired path is verified again: the verification reports the expiry,
    // or finds another path.
    absl::StatusOr<ParsedChain> parsed = ParseChain(chain);
    if (!parsed.ok()) {
      return parsed.status();
    }
    const auto verifier = verifiers_.find(parsed->id.trust_domain());
    if (verifier == verifiers_.end()) {
      return absl::NotFoundError(absl::StrCat(
          "the trust domain of ", parsed->id.uri(), " is not trusted"));
    }
    absl::StatusOr<VerifiedChain> found =
        verifier->second->Verify(*parsed, now);
    if (!found.ok()) {
      return found.status();
    }
    verified_.Insert(digest, *found);
    return std::move(found->peer);
  }

  absl::Status CheckInForce(const SvidName &svid) const override {
    const auto verifier = verifiers_.find(svid.trust_domain);
    return verifier == verifiers_.end() ? absl::OkStatus()
                                        : verifier->second->revocations().Check(
                                              svid.authority, svid.serial);
  }

  absl::StatusOr<VerifiedJwtSvid> VerifyJwtSvid(
      std::string_view token,
      std::string_view audience,
      std::chrono::system_clock::time_point now) const override {
    return kith::VerifyJwtSvid(token, audience, authorities_, now);
  }

  std::vector<std::string> trust_domains() const override {
    std::vector<std::string> names;
    for (const auto &[name, verifier] : verifiers_) {
      names.push_back(name);
    }
    return names;
  }

  const std::vector<Authorities> &authorities() const override {
    return authorities_;
  }

 private:
  const std::vector<Authorities> authorities_;
  Verifiers verifiers_;
  mutable VerifiedChains verified_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const TrustBundle>> TrustBundle::Create(
    std::vector<Authorities> domains) {
  Verifiers verifiers;
  for (const Authorities &domain : domains) {
    if (absl::Status status = ValidateTrustDomain(domain.trust_domain);
        !status.ok()) {
      return status;
    }
    absl::StatusOr<std::unique_ptr<const ChainVerifier>> verifier =
        ChainVerifier::Create(domain);
    if (!verifier.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("authorities of trust domain ",
                       domain.trust_domain,
                       ": ",
                       verifier.status().message()));
    }
    if (!verifiers.emplace(domain.trust_domain, *std::move(verifier)).second) {
      // Bundles of one domain are never merged (SPIFFE Trust Domain and Bundle,
      // section 5).
      return absl::InvalidArgumentError(absl::StrCat(
          "trust domain ", domain.trust_domain, " has two bundles"));
    }
  }
  return std::make_shared<const CachingTrustBundle>(std::move(domains),
                                                    std::move(verifiers));
}

}  // namespace kith
