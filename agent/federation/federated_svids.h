// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/federation/federation.h"
#include "agent/identity/svid_source.h"
#include "agent/identity/svid_store.h"

namespace kith {

// FederatedSvids returns the SVIDs of the store, and trusts the own domain and
// all followed domains. Both parts outlive it.
class FederatedSvids final : public SvidSource {
 public:
  FederatedSvids(const SvidStore &store, const Federation &federation)
      : store_(store), federation_(federation) {}

  absl::StatusOr<std::shared_ptr<const X509Svid>> Get(
      const SpiffeId &id) const override {
    return store_.Get(id);
  }
  std::shared_ptr<const TrustBundle> trusted() const override {
    return federation_.JoinAll(store_.bundle());
  }

 private:
  const SvidStore &store_;
  const Federation &federation_;
};

}  // namespace kith
