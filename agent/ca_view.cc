// SPDX-License-Identifier: Apache-2.0
#include "agent/ca_view.h"

#include <utility>

#include "agent/svid_revocation.h"

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
    auto id = (*authority)->ChangeAuthority(order);
    if (id.ok()) {
      if (absl::Status status = PutInForce(*stages_); !status.ok()) {
        return status;
      }
    }
    return id;
  }

 private:
  AgentStages *const stages_;
};

}  // namespace

std::unique_ptr<CaView> CreateCaView(AgentStages *stages) {
  return std::make_unique<StagesCaView>(stages);
}

}  // namespace kith
