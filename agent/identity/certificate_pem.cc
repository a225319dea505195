// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/certificate_pem.h"

#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// RFC 7468 section 2: generators write lines of exactly 64 characters.
constexpr size_t kLineLength = 64;

void AppendPem(const Der &der, std::string_view label, std::string &out) {
  const std::string text = absl::Base64Escape(
      std::string_view(reinterpret_cast<const char *>(der.data()), der.size()));
  absl::StrAppend(&out, "-----BEGIN ", label, "-----\n");
  for (size_t at = 0; at < text.size(); at += kLineLength) {
    absl::StrAppend(&out, text.substr(at, kLineLength), "\n");
  }
  absl::StrAppend(&out, "-----END ", label, "-----\n");
}

std::string Pem(const std::vector<Der> &list, std::string_view label) {
  std::string text;
  for (const Der &der : list) {
    AppendPem(der, label, text);
  }
  return text;
}

}  // namespace

std::string CertificatesPem(const std::vector<Der> &certificates) {
  return Pem(certificates, "CERTIFICATE");
}

std::string CrlsPem(const std::vector<Der> &crls) {
  return Pem(crls, "X509 CRL");
}

}  // namespace kith
