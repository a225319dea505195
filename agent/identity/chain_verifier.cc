// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/chain_verifier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include <openssl/err.h>
#include <openssl/x509.h>

#include "agent/identity/crypto_error.h"
#include "agent/identity/svid_rules.h"

namespace kith {
namespace {

using TimePoint = std::chrono::system_clock::time_point;

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::StatusCode::kDeadlineExceeded;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return absl::StatusCode::kNotFound;
    default:
      return absl::StatusCode::kInvalidArgument;
  }
}

absl::Status Refusal(const SpiffeId &id, const X509_STORE_CTX *run) {
  const int error = X509_STORE_CTX_get_error(run);
  // The library's error queue has less detail than `error`.
  ERR_clear_error();
  return absl::Status(CodeOf(error),
                      absl::StrCat("the chain of ",
                                   id.uri(),
                                   ": ",
                                   X509_verify_cert_error_string(error),
                                   " (certificate ",
                                   X509_STORE_CTX_get_error_depth(run),
                                   ")"));
}

// CheckSigners applies the SPIFFE rules, which the library does not know, to
// the signing certificates of a path.
absl::Status CheckSigners(const STACK_OF(X509) * path) {
  for (size_t i = 1; i < sk_X509_num(path); ++i) {
    absl::Status status = CheckAuthority(sk_X509_value(path, i));
    if (!status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

// CheckPath checks that the authority is in force and has not revoked a
// certificate that it signed: the leaf, or an intermediate.
absl::Status CheckPath(const STACK_OF(X509) * path,
                       const Revocations &revocations) {
  const size_t length = sk_X509_num(path);
  return length < 2
             ? absl::OkStatus()
             : revocations.Check(KeyIdTextOf(sk_X509_value(path, length - 1)),
                                 SerialOf(sk_X509_value(path, length - 2)));
}

absl::StatusOr<Validity> ValidityOfPath(const STACK_OF(X509) * path) {
  Validity common{TimePoint::min(), TimePoint::max()};
  for (const X509 *certificate : path) {
    absl::StatusOr<Validity> validity = ValidityOf(certificate);
    if (!validity.ok()) {
      return validity.status();
    }
    common.not_before = std::max(common.not_before, validity->not_before);
    common.not_after = std::min(common.not_after, validity->not_after);
  }
  return common;
}

// The intermediates are all certificates after the leaf.
absl::StatusOr<bssl::UniquePtr<STACK_OF(X509)>> IntermediatesOf(
    const ParsedChain &chain) {
  bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  for (size_t i = 1; i < chain.certificates.size(); ++i) {
    if (stack == nullptr ||
        !bssl::PushToStack(stack.get(),
                           bssl::UpRef(chain.certificates[i].get()))) {
      return CryptoError(absl::StatusCode::kResourceExhausted, "sk_X509_push");
    }
  }
  return stack;
}

}  // namespace

absl::Status CheckBounds(const std::vector<Der> &chain) {
  if (chain.empty()) {
    return absl::InvalidArgumentError("the peer sent no certificate");
  }
  if (chain.size() > kMaxChainCertificates) {
    return absl::InvalidArgumentError(absl::StrCat("the peer's chain has ",
                                                   chain.size(),
                                                   " certificates, more than ",
                                                   kMaxChainCertificates));
  }
  for (const Der &der : chain) {
    if (der.size() > kMaxCertificateBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a certificate of the peer's chain has ",
                       der.size(),
                       " bytes, more than ",
                       kMaxCertificateBytes));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ParsedChain> ParseChain(const std::vector<Der> &chain) {
  ParsedChain parsed;
  for (const Der &der : chain) {
    absl::StatusOr<bssl::UniquePtr<X509>> certificate = ParseCertificate(der);
    if (!certificate.ok()) {
      return certificate.status();
    }
    parsed.certificates.push_back(*std::move(certificate));
  }
  absl::StatusOr<SpiffeId> id = CheckLeaf(parsed.certificates.front().get());
  if (!id.ok()) {
    return id.status();
  }
  parsed.id = *std::move(id);
  return parsed;
}

absl::StatusOr<std::unique_ptr<const ChainVerifier>> ChainVerifier::Create(
    const Authorities &domain) {
  std::unique_ptr<ChainVerifier> verifier(new ChainVerifier);
  verifier->store_.reset(X509_STORE_new());
  if (verifier->store_ == nullptr) {
    return CryptoError(absl::StatusCode::kResourceExhausted, "X509_STORE_new");
  }
  for (const Der &der : domain.certificates) {
    absl::StatusOr<bssl::UniquePtr<X509>> certificate = ParseCertificate(der);
    if (!certificate.ok()) {
      return certificate.status();
    }
    if (absl::Status status = CheckAuthority(certificate->get());
        !status.ok()) {
      return status;
    }
    if (!X509_STORE_add_cert(verifier->store_.get(), certificate->get())) {
      return CryptoError(absl::StatusCode::kInvalidArgument,
                         "X509_STORE_add_cert");
    }
  }
  absl::StatusOr<Revocations> revocations = Revocations::Create(domain);
  if (!revocations.ok()) {
    return revocations.status();
  }
  verifier->revocations_ = *std::move(revocations);
  return verifier;
}

absl::StatusOr<VerifiedChain> ChainVerifier::Verify(const ParsedChain &chain,
                                                    TimePoint now) const {
  absl::StatusOr<bssl::UniquePtr<STACK_OF(X509)>> intermediates =
      IntermediatesOf(chain);
  if (!intermediates.ok()) {
    return intermediates.status();
  }
  X509 *leaf = chain.certificates.front().get();
  bssl::UniquePtr<X509_STORE_CTX> run(X509_STORE_CTX_new());
  if (run == nullptr ||
      !X509_STORE_CTX_init(
          run.get(), store_.get(), leaf, intermediates->get())) {
    return CryptoError(absl::StatusCode::kResourceExhausted,
                       "X509_STORE_CTX_init");
  }
  X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(run.get());
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  X509_VERIFY_PARAM_set_depth(rules, kMaxChainCertificates);
  // The leaf's extended key usage was checked for both TLS roles (CheckLeaf).
  if (!X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_ANY)) {
    return CryptoError(absl::StatusCode::kInternal,
                       "X509_VERIFY_PARAM_set_purpose");
  }
  if (X509_verify_cert(run.get()) != 1) {
    return Refusal(chain.id, run.get());
  }
  const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(run.get());
  if (absl::Status status = CheckSigners(path); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckPath(path, revocations_); !status.ok()) {
    return absl::Status(
        status.code(),
        absl::StrCat("the chain of ", chain.id.uri(), ": ", status.message()));
  }
  absl::StatusOr<Validity> common = ValidityOfPath(path);
  absl::StatusOr<Validity> own = ValidityOf(leaf);
  if (!common.ok() || !own.ok()) {
    return common.ok() ? own.status() : common.status();
  }
  X509 *anchor = sk_X509_value(path, sk_X509_num(path) - 1);
  return VerifiedChain{
      {chain.id, SerialOf(leaf), own->not_after, KeyIdTextOf(anchor)}, *common};
}

}  // namespace kith
