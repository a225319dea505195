// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/certificate_request.h"

#include <openssl/digest.h>
#include <openssl/mem.h>
#include <openssl/x509.h>

#include "agent/identity/certificate_extensions.h"
#include "agent/identity/crypto_error.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

// Critical, because the subject is empty (RFC 5280 section 4.2.1.6).
bool AddNames(GENERAL_NAMES *names, X509_REQ *request) {
  constexpr int kCritical = 1;
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_i2d(NID_subject_alt_name, kCritical, names));
  bssl::UniquePtr<STACK_OF(X509_EXTENSION)> extensions(
      sk_X509_EXTENSION_new_null());
  return extension != nullptr && extensions != nullptr &&
         bssl::PushToStack(extensions.get(), std::move(extension)) &&
         X509_REQ_add_extensions(request, extensions.get()) == 1;
}

}  // namespace

absl::StatusOr<Der> MakeCertificateRequest(
    EVP_PKEY *key,
    const SpiffeId &id,
    const std::vector<std::string> &dns_names) {
  const auto names = AlternativeNames({id.uri()}, dns_names);
  bssl::UniquePtr<X509_REQ> request(X509_REQ_new());
  if (names == nullptr || request == nullptr ||
      X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key) != 1 ||
      !AddNames(names.get(), request.get()) ||
      X509_REQ_sign(request.get(), key, EVP_sha256()) == 0) {
    return CryptoError(absl::StatusCode::kInternal, "certificate request");
  }
  uint8_t *der = nullptr;
  const int length = i2d_X509_REQ(request.get(), &der);
  if (length <= 0) {
    return CryptoError(absl::StatusCode::kInternal, "i2d_X509_REQ");
  }
  Der result(der, der + length);
  OPENSSL_free(der);
  return result;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> KeyOfRequest(const Der &request) {
  const uint8_t *next = request.data();
  bssl::UniquePtr<X509_REQ> parsed(
      d2i_X509_REQ(nullptr, &next, static_cast<long>(request.size())));
  if (parsed == nullptr || next != request.data() + request.size()) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "no certificate request: d2i_X509_REQ");
  }
  bssl::UniquePtr<EVP_PKEY> key(X509_REQ_get_pubkey(parsed.get()));
  if (key == nullptr || X509_REQ_verify(parsed.get(), key.get()) != 1) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       "a certificate request without its key: "
                       "X509_REQ_verify");
  }
  auto public_key = PublicKeyOf(key.get());
  // Only kinds that an SVID may have.
  return public_key.ok()
             ? ParsePublicKey(*public_key)
             : absl::StatusOr<bssl::UniquePtr<EVP_PKEY>>(public_key.status());
}

}  // namespace kith
