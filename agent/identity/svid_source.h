// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/status/statusor.h"

#include "agent/identity/trust_bundle.h"
#include "agent/identity/x509_svid.h"
#include "kith/spiffe_id.h"

namespace kith {

// SvidSource gives a handshake the agent's own SVIDs and the trusted domains.
// Thread-safe; does not block.
class SvidSource {
 public:
  virtual ~SvidSource() = default;

  // Get returns a valid SVID that is not revoked. Unavailable says why there is
  // none now; NotFound: no document wants an SVID of this ID.
  virtual absl::StatusOr<std::shared_ptr<const X509Svid>> Get(
      const SpiffeId &id) const = 0;

  // trusted returns every known trust domain; null: none yet. The Authorizer
  // decides which of them a flow may have peers of.
  virtual std::shared_ptr<const TrustBundle> trusted() const = 0;
};

}  // namespace kith
