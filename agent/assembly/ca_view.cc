// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/ca_view.h"

#include <utility>

namespace kith {
namespace {

class AgentCaView final : public CaView {
 public:
  explicit AgentCaView(const RevocationParts &parts) : parts_(parts) {}

  absl::StatusOr<Revocation> RevokeSvids(const SvidTarget &target) override {
    auto done = kith::RevokeSvids(parts_, target);
    if (!done.ok()) {
      return done.status();
    }
    return Revocation{std::move(done->svids), done->flows};
  }

  absl::StatusOr<std::vector<AuthorityRecord>> ListAuthorities() override {
    auto authority = OwnAuthority(parts_.issuer);
    if (!authority.ok()) {
      return authority.status();
    }
    return (*authority)->ListAuthorities();
  }

  absl::StatusOr<std::string> ChangeAuthority(
      const AuthorityOrder &order) override {
    auto authority = OwnAuthority(parts_.issuer);
    if (!authority.ok()) {
      return authority.status();
    }
    return InForce((*authority)->ChangeAuthority(order));
  }

  absl::StatusOr<std::vector<JwtKeyRecord>> ListJwtKeys() override {
    auto authority = OwnAuthority(parts_.issuer);
    if (!authority.ok()) {
      return authority.status();
    }
    return (*authority)->ListJwtKeys();
  }

  absl::StatusOr<std::string> RotateJwtKey(bool at_once) override {
    auto authority = OwnAuthority(parts_.issuer);
    if (!authority.ok()) {
      return authority.status();
    }
    return InForce((*authority)->RotateJwtKey(at_once));
  }

  absl::Status RevokeJwtKey(const std::string &id) override {
    auto authority = OwnAuthority(parts_.issuer);
    if (!authority.ok()) {
      return authority.status();
    }
    const absl::Status status = (*authority)->RevokeJwtKey(id);
    return status.ok() ? PutInForce(parts_.svids) : status;
  }

 private:
  absl::StatusOr<std::string> InForce(absl::StatusOr<std::string> changed) {
    if (!changed.ok()) {
      return changed;
    }
    const absl::Status status = PutInForce(parts_.svids);
    return status.ok() ? changed : status;
  }

  const RevocationParts parts_;
};

}  // namespace

std::unique_ptr<CaView> CreateCaView(const RevocationParts &parts) {
  return std::make_unique<AgentCaView>(parts);
}

}  // namespace kith
