// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "kith/spiffe_id.h"

namespace kith {

// CheckLeaf applies the rules of the X509-SVID standard (sections 2, 3, 4 and
// appendix A) to a leaf: not a CA; exactly one URI name, a SPIFFE ID with a
// path; critical key usage with digitalSignature and neither keyCertSign nor
// cRLSign; extended key usage absent, or for TLS servers and clients both; a
// critical subject alternative name if the subject is empty (RFC 5280 section
// 4.2.1.6). InvalidArgument names the broken rule. CheckLeaf does not check
// signature and validity.
absl::StatusOr<SpiffeId> CheckLeaf(X509 *certificate);

// CheckAuthority applies the rules for signing certificates: a CA, key usage
// with keyCertSign, and at most one URI name, a SPIFFE ID without a path.
absl::Status CheckAuthority(X509 *certificate);

}  // namespace kith
