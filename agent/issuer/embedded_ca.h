// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/runtime/clock.h"
#include "kith/issuer.h"

namespace kith {

// CreateEmbeddedCa opens the certificate authority in `directory`, or creates
// it (ECDSA P-256, self-signed, SPIFFE ID of the trust domain). Several agents
// of one machine may share the directory: a lock file serialises creation, and
// all get the same key. The key file has mode 0600; a wider mode, a foreign
// owner or an unreadable or incomplete file is an error that names the file,
// never a reason to create another CA. Files: ca.key (PKCS#8 PEM), ca.crt
// (PEM), ca.lock, and the keys of JWT-SVIDs (jwt_keys.h). `clock` must outlive
// the issuer.
absl::StatusOr<std::shared_ptr<Issuer>> CreateEmbeddedCa(
    const std::string &directory,
    const std::string &trust_domain,
    const Clock &clock = SystemClock());

}  // namespace kith
