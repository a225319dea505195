// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "kith/issuer.h"
#include "kith/spiffe_id.h"

namespace kith {

// MakeCertificateRequest returns a certificate signing request (PKCS#10, RFC
// 2986, as DER) for the key: an empty subject, and the SPIFFE ID and the DNS
// names as subject alternative names.
absl::StatusOr<Der> MakeCertificateRequest(
    EVP_PKEY *key,
    const SpiffeId &id,
    const std::vector<std::string> &dns_names);

// KeyOfRequest returns the key of a request that is signed with this key.
// InvalidArgument: the bytes are no request, or another key signed it.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> KeyOfRequest(const Der &request);

}  // namespace kith
