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
// (RFC 7515 section 7.1) by the active authority, so that a change of any bit
// is noticed. Its payload is {"trustDomain", "createdAt", "active", "files":
// {name: text}}; the keys in it are PKCS#8 EncryptedPrivateKeyInfo (RFC 5958
// section 3, PBES2 with PBKDF2 and AES-256-CBC) in base64, which openssl pkcs8
// reads too. The passphrase protects the keys, and nothing else in it is
// secret.

// BackUpCa returns the backup. InvalidArgument: an empty passphrase.
absl::StatusOr<std::string> BackUpCa(const CaDirectory &directory,
                                     const std::string &trust_domain,
                                     const Secret &passphrase,
                                     Clock::TimePoint now);

struct CaRestore {
  std::string directory;  // of the CA
  std::string trust_domain;
  bool replace = false;  // a CA that is there
};

// RestoreCa makes a directory of the backup, opens it as an agent would, and
// puts it in place in one step; what is revoked in the directory that it
// replaces stays revoked. It returns the path at which that one is kept; empty:
// there was none. Running agents notice, renew every SVID that the restored
// authorities do not vouch for, and end its flows. AlreadyExists: there is a
// CA, and it is not to be replaced; InvalidArgument: this is no backup, it is
// damaged, or the passphrase is wrong. Nothing has changed after an error.
absl::StatusOr<std::string> RestoreCa(const CaRestore &wanted,
                                      std::string_view backup,
                                      const Secret &passphrase,
                                      Clock::TimePoint now);

}  // namespace kith
