// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/joined_bundle.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"

#include "agent/identity/chain_verifier.h"
#include "agent/identity/jwt_svid.h"

namespace kith {
namespace {

class JoinedBundle final : public TrustBundle {
 public:
  JoinedBundle(std::shared_ptr<const TrustBundle> own,
               std::shared_ptr<const TrustBundle> others)
      : own_(std::move(own)), others_(std::move(others)) {
    for (const auto &bundle : {own_, others_}) {
      const auto &domains = bundle->authorities();
      authorities_.insert(authorities_.end(), domains.begin(), domains.end());
    }
    for (const Authorities &domain : others_->authorities()) {
      CHECK(!Trusts(*own_, domain.trust_domain)) << domain.trust_domain;
    }
  }

  // Each half verifies SVIDs of its own domains only, so that no domain's
  // authority can vouch for another domain.
  absl::StatusOr<PeerIdentity> VerifyPeer(
      const std::vector<Der> &chain,
      std::chrono::system_clock::time_point now) const override {
    auto peer = own_->VerifyPeer(chain, now);
    if (!absl::IsNotFound(peer.status())) {
      return peer;
    }
    auto foreign = others_->VerifyPeer(chain, now);
    return foreign.ok() || IsOfOthers(chain) ? foreign : peer;
  }

  absl::Status CheckInForce(const SvidName &svid) const override {
    absl::Status in_own = own_->CheckInForce(svid);
    return in_own.ok() ? others_->CheckInForce(svid) : in_own;
  }

  absl::StatusOr<VerifiedJwtSvid> VerifyJwtSvid(
      std::string_view token,
      std::string_view audience,
      std::chrono::system_clock::time_point now) const override {
    return kith::VerifyJwtSvid(token, audience, authorities_, now);
  }

  std::vector<std::string> trust_domains() const override {
    std::vector<std::string> names = own_->trust_domains();
    const std::vector<std::string> more = others_->trust_domains();
    names.insert(names.end(), more.begin(), more.end());
    return names;
  }

  const std::vector<Authorities> &authorities() const override {
    return authorities_;
  }

 private:
  static bool Trusts(const TrustBundle &bundle, std::string_view domain) {
    return std::ranges::count(
               bundle.authorities(), domain, &Authorities::trust_domain) != 0;
  }

  bool IsOfOthers(const std::vector<Der> &chain) const {
    const absl::StatusOr<ParsedChain> parsed = ParseChain(chain);
    return parsed.ok() && Trusts(*others_, parsed->id.trust_domain());
  }

  const std::shared_ptr<const TrustBundle> own_;
  const std::shared_ptr<const TrustBundle> others_;
  std::vector<Authorities> authorities_;
};

}  // namespace

std::shared_ptr<const TrustBundle> JoinBundles(
    std::shared_ptr<const TrustBundle> own,
    std::shared_ptr<const TrustBundle> others) {
  return std::make_shared<const JoinedBundle>(std::move(own),
                                              std::move(others));
}

}  // namespace kith
