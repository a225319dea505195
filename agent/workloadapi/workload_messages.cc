// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/workload_messages.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/identity/jwk.h"
#include "agent/identity/private_key.h"
#include "agent/workloadapi/reply.h"
#include "agent/workloadapi/spiffe_workload_api.pb.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace kith {
namespace {

namespace io = google::protobuf::io;

// Field numbers of spiffe_workload_api.proto, both length-delimited (wire type
// 2 of the protobuf encoding).
constexpr uint32_t LengthDelimited(uint32_t field) {
  return field << 3 | 2;
}
constexpr uint32_t kSvidsTag =
    LengthDelimited(X509SVIDResponse::kSvidsFieldNumber);
constexpr uint32_t kKeyTag = LengthDelimited(X509SVID::kX509SvidKeyFieldNumber);

std::string TrustDomainId(const Authorities &domain) {
  return absl::StrCat("spiffe://", domain.trust_domain);
}

std::string Concatenated(const std::vector<Der> &certificates) {
  std::string all;
  for (const Der &der : certificates) {
    all.append(reinterpret_cast<const char *>(der.data()), der.size());
  }
  return all;
}

// AddCrls adds the domain's CRLs. A domain that does not publish revocations
// has none.
template <typename Response>
void AddCrls(const Authorities &domain, Response &response) {
  for (const Der &crl : domain.crls) {
    response.add_crl(crl.data(), crl.size());
  }
}

// OpenEnded returns a response whose last field is an X509SVID, whose last
// field is its key: `key_size` bytes that follow. Protobuf's own objects, which
// are on the heap, must not hold the key.
std::string OpenEnded(const X509SVIDResponse &response,
                      const X509SVID &svid,
                      size_t key_size) {
  const std::string inner = svid.SerializeAsString();
  const auto key_length = static_cast<uint32_t>(key_size);
  const size_t svid_size =
      inner.size() + io::CodedOutputStream::VarintSize32(kKeyTag) +
      io::CodedOutputStream::VarintSize32(key_length) + key_size;
  std::string text = SerializedText(response);
  io::StringOutputStream stream(&text);
  io::CodedOutputStream coded(&stream);
  coded.WriteTag(kSvidsTag);
  coded.WriteVarint32(static_cast<uint32_t>(svid_size));
  coded.WriteString(inner);
  coded.WriteTag(kKeyTag);
  coded.WriteVarint32(key_length);
  coded.Trim();
  return text;
}

absl::Status NoBundle() {
  return absl::UnavailableError("the trust bundle is not there yet");
}

// Bundles that only this cache still holds were replaced.
template <typename Entries>
void ForgetUnused(Entries &entries) {
  std::erase_if(entries,
                [](const auto &item) { return item.first.use_count() == 1; });
}

}  // namespace

absl::StatusOr<WorkloadMessages::Message> WorkloadMessages::OfSvid(
    const Svid &svid, const Bundle &bundle) {
  if (bundle == nullptr) {
    return NoBundle();
  }
  SvidEntry &known = svids_[svid->id()];
  if (known.svid == svid && known.bundle == bundle) {
    return known.message;
  }
  absl::StatusOr<Secret> key = EncodePrivateKeyDer(svid->key());
  if (!key.ok()) {
    return key.status();
  }
  X509SVIDResponse response;
  X509SVID one;
  one.set_spiffe_id(svid->id().uri());
  one.set_x509_svid(Concatenated(svid->chain()));
  for (const Authorities &domain : bundle->authorities()) {
    AddCrls(domain, response);
    std::string roots = Concatenated(domain.certificates);
    if (domain.trust_domain == svid->id().trust_domain()) {
      one.set_bundle(std::move(roots));
    } else {
      (*response.mutable_federated_bundles())[TrustDomainId(domain)] =
          std::move(roots);
    }
  }
  const size_t key_size = std::as_const(*key).bytes().size();
  known = {svid,
           bundle,
           std::make_shared<GrpcMessage>(OpenEnded(response, one, key_size),
                                         *std::move(key))};
  return known.message;
}

absl::StatusOr<WorkloadMessages::Message> WorkloadMessages::OfX509Bundles(
    const Bundle &bundle) {
  if (bundle == nullptr) {
    return NoBundle();
  }
  ForgetUnused(x509_bundles_);
  Message &message = x509_bundles_[bundle];
  if (message == nullptr) {
    X509BundlesResponse response;
    for (const Authorities &domain : bundle->authorities()) {
      AddCrls(domain, response);
      (*response.mutable_bundles())[TrustDomainId(domain)] =
          Concatenated(domain.certificates);
    }
    message = Serialized(response);
  }
  return message;
}

absl::StatusOr<WorkloadMessages::Message> WorkloadMessages::OfJwtBundles(
    const Bundle &bundle) {
  if (bundle == nullptr) {
    return NoBundle();
  }
  ForgetUnused(jwt_bundles_);
  Message &message = jwt_bundles_[bundle];
  if (message == nullptr) {
    JWTBundlesResponse response;
    for (const Authorities &domain : bundle->authorities()) {
      absl::StatusOr<std::string> keys =
          EncodeJwkSet(domain.jwt_keys, kNoJwkUse);
      if (!keys.ok()) {
        jwt_bundles_.erase(bundle);
        return keys.status();
      }
      (*response.mutable_bundles())[TrustDomainId(domain)] = *std::move(keys);
    }
    message = Serialized(response);
  }
  return message;
}

void WorkloadMessages::Retain(const std::function<bool(const Svid &)> &in_use) {
  std::erase_if(svids_, [&in_use](const auto &item) {
    return !in_use(item.second.svid);
  });
}

}  // namespace kith
