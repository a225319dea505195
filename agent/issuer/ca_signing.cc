// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_signing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "agent/identity/certificate_builder.h"
#include "agent/identity/certificate_request.h"

namespace kith {
namespace {

// Bounds of the names in one SVID: the chain has to fit into the peer's bound
// of 16 KiB per certificate, and DNS names have at most 253 characters
// (RFC 1035 section 2.3.4).
constexpr size_t kMaxDnsNames = 32;
constexpr size_t kMaxDnsName = 253;

absl::Status CheckDnsNames(const std::vector<std::string> &names) {
  if (names.size() > kMaxDnsNames) {
    return absl::InvalidArgumentError(
        absl::StrCat(names.size(), " DNS names are more than ", kMaxDnsNames));
  }
  for (const std::string &name : names) {
    const bool valid = !name.empty() && name.size() <= kMaxDnsName &&
                       std::ranges::all_of(name, [](unsigned char c) {
                         return absl::ascii_isalnum(c) || c == '.' ||
                                c == '-' || c == '*' || c == '_';
                       });
    if (!valid) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", name, "' is no DNS name"));
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const SvidRequest &request,
                   const CaAuthorities::Entry &signer,
                   Clock::TimePoint now) {
  if (request.ttl <= std::chrono::seconds(0)) {
    return absl::InvalidArgumentError("the TTL of an SVID is not positive");
  }
  if (!signer.validity.Contains(now)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "authority ", signer.id, " has expired or is not yet valid"));
  }
  return CheckDnsNames(request.dns_names);
}

}  // namespace

absl::StatusOr<bssl::UniquePtr<X509>> SignSvid(
    const SvidRequest &request,
    const CaAuthorities::Entry &signer,
    Clock::TimePoint now) {
  if (absl::Status status = Check(request, signer, now); !status.ok()) {
    return status;
  }
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = KeyOfRequest(request.csr);
  if (!key.ok()) {
    return key.status();
  }
  CertificateFields fields;
  // The subject stays empty: the SPIFFE ID is the only name, so that nothing
  // else can be taken for one.
  fields.uris = {request.id.uri()};
  fields.dns_names = request.dns_names;
  fields.validity = {
      std::max(now - kClockSkew, signer.validity.not_before),
      std::min<Clock::TimePoint>(now + request.ttl, signer.validity.not_after)};
  fields.key_usage = {KeyUsageBit::kDigitalSignature};
  fields.tls_server_and_client = true;
  return BuildCertificate(fields,
                          key->get(),
                          {.certificate = signer.pair->certificate.get(),
                           .key = signer.pair->key.get()});
}

}  // namespace kith
