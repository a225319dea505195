// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/issuer/ca_directory.h"
#include "agent/runtime/clock.h"
#include "kith/secret.h"

namespace kith {

// A backup holds the keys, certificates and lists of an embedded CA: one JWS
// (RFC 7515 section 7.1) by the active authority, so that any changed bit is
// detected. Its payload is {"trustDomain", "createdAt", "active", "files":
// {name: text}}; its keys are PKCS#8 EncryptedPrivateKeyInfo (RFC 5958 section
// 3, PBES2 with PBKDF2 and AES-256-CBC) in base64, which openssl pkcs8 reads
// too. The passphrase protects the keys; nothing else in it is secret.

// BackUpCa returns the backup. InvalidArgument: an empty passphrase.
absl::StatusOr<std::string> BackUpCa(const CaDirectory &directory,
                                     const std::string &trust_domain,
                                     const Secret &passphrase,
                                     Clock::TimePoint now);

struct CaRestore {
  std::string directory;  // of the CA
  std::string trust_domain;
  bool replace = false;  // even if a CA exists
};

// RestoreCa makes a directory of the backup, opens it as an agent would, and
// swaps it in atomically; SVIDs that are revoked in the replaced directory stay
// revoked. It returns the path at which the replaced directory is kept; empty:
// there was none. Running agents notice, renew every SVID that the restored
// authorities did not sign, and end its flows. AlreadyExists: a CA exists and
// may not be replaced; InvalidArgument: this is no backup, it is damaged, or
// the passphrase is wrong. An error leaves everything unchanged.
absl::StatusOr<std::string> RestoreCa(const CaRestore &wanted,
                                      std::string_view backup,
                                      const Secret &passphrase,
                                      Clock::TimePoint now);

}  // namespace kith
