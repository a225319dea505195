// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/x509_svid.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "agent/identity/certificate.h"
#include "agent/identity/crypto_error.h"
#include "agent/identity/svid_rules.h"

namespace kith {

X509Svid::~X509Svid() = default;

absl::StatusOr<std::shared_ptr<const X509Svid>> X509Svid::Create(
    SpiffeId id, bssl::UniquePtr<EVP_PKEY> key, std::vector<Der> chain) {
  if (key == nullptr || chain.empty()) {
    return absl::InvalidArgumentError("an SVID needs a key and a certificate");
  }
  absl::StatusOr<bssl::UniquePtr<X509>> leaf = ParseCertificate(chain.front());
  if (!leaf.ok()) {
    return leaf.status();
  }
  absl::StatusOr<SpiffeId> leaf_id = CheckLeaf(leaf->get());
  if (!leaf_id.ok()) {
    return leaf_id.status();
  }
  if (*leaf_id != id) {
    return absl::InvalidArgumentError(
        absl::StrCat("the SVID is for ", leaf_id->uri(), ", not ", id.uri()));
  }
  if (!X509_check_private_key(leaf->get(), key.get())) {
    return CryptoError(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("the key of the SVID for ", id.uri()));
  }
  absl::StatusOr<Validity> validity = ValidityOf(leaf->get());
  if (!validity.ok()) {
    return validity.status();
  }
  absl::StatusOr<bssl::UniquePtr<X509>> last = ParseCertificate(chain.back());
  if (!last.ok()) {
    return last.status();
  }
  // The constructor is private, which make_shared cannot reach.
  std::shared_ptr<X509Svid> svid(new X509Svid);
  svid->leaf_ = {std::move(id),
                 SerialOf(leaf->get()),
                 validity->not_after,
                 SignerIdTextOf(last->get())};
  svid->not_before_ = validity->not_before;
  svid->key_ = std::move(key);
  svid->chain_ = std::move(chain);
  return svid;
}

}  // namespace kith
