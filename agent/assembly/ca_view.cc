// SPDX-License-Identifier: Apache-2.0
#include "agent/assembly/ca_view.h"

#include <utility>

#include "agent/revocation/svid_revocation.h"

namespace kith {
namespace {

class StagesCaView final : public CaView {
 public:
  explicit StagesCaView(AgentStages *stages) : stages_(stages) {}

  absl::StatusOr<Revocation> RevokeSvids(const SvidTarget &target) override {
    auto done = kith::RevokeSvids(*stages_, target);
    if (!done.ok()) {
      return done.status();
    }
    return Revocation{std::move(done->svids), done->flows};
  }

  absl::StatusOr<std::vector<AuthorityRecord>> ListAuthorities() override {
    auto authority = OwnAuthority(*stages_);
    if (!authority.ok()) {
      return authority.status();
    }
    return (*authority)->ListAuthorities();
  }

  absl::StatusOr<std::string> ChangeAuthority(
      const AuthorityOrder &order) override {
    auto authority = OwnAuthority(*stages_);
    if (!authority.ok()) {
      return authority.status();
    }
    return InForce((*authority)->ChangeAuthority(order));
  }

  absl::StatusOr<std::vector<JwtKeyRecord>> ListJwtKeys() override {
    auto authority = OwnAuthority(*stages_);
    if (!authority.ok()) {
      return authority.status();
    }
    return (*authority)->ListJwtKeys();
  }

  absl::StatusOr<std::string> RotateJwtKey(bool at_once) override {
    auto authority = OwnAuthority(*stages_);
    if (!authority.ok()) {
      return authority.status();
    }
    return InForce((*authority)->RotateJwtKey(at_once));
  }

  absl::Status RevokeJwtKey(const std::string &id) override {
    auto authority = OwnAuthority(*stages_);
    if (!authority.ok()) {
      return authority.status();
    }
    const absl::Status status = (*authority)->RevokeJwtKey(id);
    return status.ok() ? PutInForce(*stages_) : status;
  }

 private:
  absl::StatusOr<std::string> InForce(absl::StatusOr<std::string> changed) {
    if (!changed.ok()) {
      return changed;
    }
    const absl::Status status = PutInForce(*stages_);
    return status.ok() ? changed : status;
  }

  AgentStages *const stages_;
};

}  // namespace

std::unique_ptr<CaView> CreateCaView(AgentStages *stages) {
  return std::make_unique<StagesCaView>(stages);
}

}  // namespace kith
