// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kith/issuer.h"

namespace kith {

// CertificatesPem returns the certificates as PEM texts (RFC 7468 section 5.1),
// one after the other.
std::string CertificatesPem(const std::vector<Der> &certificates);

// CrlsPem returns CRLs as PEM texts (RFC 7468 section 6).
std::string CrlsPem(const std::vector<Der> &crls);

}  // namespace kith
