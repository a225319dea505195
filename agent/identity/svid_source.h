// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/identity/trust_bundle.h"
#include "agent/identity/x509_svid.h"
#include "kith/spiffe_id.h"

namespace kith {

// SvidSource is what a handshake needs: who we are, and whom we can know.
// Thread-safe; does not block.
class SvidSource {
 public:
  virtual ~SvidSource() = default;

  // Get returns a valid SVID that is not revoked. Unavailable says why there is
  // none now; NotFound: it is none of ours.
  virtual absl::StatusOr<std::shared_ptr<const X509Svid>> Get(
      const SpiffeId &id) const = 0;

  // trusted returns every trust domain that is known; null: none yet. Which of
  // them a flow may have peers of is the Authorizer's to say.
  virtual std::shared_ptr<const TrustBundle> trusted() const = 0;
};

}  // namespace kith
