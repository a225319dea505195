// SPDX-License-Identifier: Apache-2.0
#include "test/fakes/svid_forge.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include <openssl/nid.h>

#include "test/fakes/forged_certificate.h"

namespace kith {
namespace {

struct NamedKind {
  ForgeryKind kind;
  std::string_view name;
};

constexpr NamedKind kNames[] = {
    {ForgeryKind::kValid, "valid"},
    {ForgeryKind::kIntermediate, "intermediate"},
    {ForgeryKind::kExpired, "expired"},
    {ForgeryKind::kNotYetValid, "not-yet-valid"},
    {ForgeryKind::kTwoUris, "two-uris"},
    {ForgeryKind::kNoUri, "no-uri"},
    {ForgeryKind::kTrustDomainId, "trust-domain-id"},
    {ForgeryKind::kTrailingSlash, "trailing-slash"},
    {ForgeryKind::kCaLeaf, "ca-leaf"},
    {ForgeryKind::kKeyCertSign, "key-cert-sign"},
    {ForgeryKind::kNoDigitalSignature, "no-digital-signature"},
    {ForgeryKind::kNoKeyUsage, "no-key-usage"},
    {ForgeryKind::kKeyUsageNotCritical, "key-usage-not-critical"},
    {ForgeryKind::kServerAuthOnly, "server-auth-only"},
    {ForgeryKind::kNameNotCritical, "name-not-critical"},
    {ForgeryKind::kOtherTrustDomain, "other-trust-domain"},
    {ForgeryKind::kUnknownCa, "unknown-ca"},
    {ForgeryKind::kForeignSigner, "foreign-signer"},
    {ForgeryKind::kBadSignature, "bad-signature"},
    {ForgeryKind::kIntermediateNoCa, "intermediate-no-ca"},
    {ForgeryKind::kIntermediateWithPath, "intermediate-with-path"},
    {ForgeryKind::kPathTooLong, "path-too-long"},
    {ForgeryKind::kNameExcluded, "name-excluded"},
};

constexpr auto kAll = [] {
  std::array<ForgeryKind, std::size(kNames)> all{};
  for (size_t i = 0; i < all.size(); ++i) {
    all[i] = kNames[i].kind;
  }
  return all;
}();

constexpr std::string_view kOtherDomain = "other.test";

std::string UriOf(std::string_view trust_domain) {
  return absl::StrCat("spiffe://", trust_domain);
}

CertificateFields FieldsFor(ForgeryKind kind,
                            const SpiffeId &id,
                            Clock::TimePoint now) {
  using std::chrono::hours;
  CertificateFields fields = LeafFields(id.uri(), now);
  switch (kind) {
    case ForgeryKind::kExpired:
      fields.validity = {now - hours(2), now - hours(1)};
      break;
    case ForgeryKind::kNotYetValid:
      fields.validity = {now + hours(1), now + hours(2)};
      break;
    case ForgeryKind::kTwoUris:
      fields.uris.push_back(id.uri() + "/second");
      break;
    case ForgeryKind::kNoUri:
      fields.uris.clear();
      fields.dns_names = {"no-uri.test"};
      break;
    case ForgeryKind::kTrustDomainId:
      fields.uris = {UriOf(id.trust_domain())};
      break;
    case ForgeryKind::kTrailingSlash:
      fields.uris = {id.uri() + "/"};
      break;
    case ForgeryKind::kCaLeaf:
      fields.is_ca = true;
      break;
    case ForgeryKind::kKeyCertSign:
      fields.key_usage.push_back(KeyUsageBit::kKeyCertSign);
      break;
    case ForgeryKind::kNoDigitalSignature:
      fields.key_usage = {static_cast<KeyUsageBit>(4)};  // keyAgreement
      break;
    case ForgeryKind::kOtherTrustDomain:
      fields.uris = {absl::StrCat(UriOf(kOtherDomain), id.path())};
      break;
    default:
      break;
  }
  return fields;
}

ChangeCertificate LeafChangeFor(ForgeryKind kind) {
  switch (kind) {
    case ForgeryKind::kNoKeyUsage:
      return WithoutExtension(NID_key_usage);
    case ForgeryKind::kKeyUsageNotCritical:
      return NotCritical(NID_key_usage);
    case ForgeryKind::kNameNotCritical:
      return NotCritical(NID_subject_alt_name);
    case ForgeryKind::kServerAuthOnly:
      return WithServerAuthOnly();
    default:
      return {};
  }
}

// SignersFor returns the authorities below the forge's own, topmost first; a
// self-signed one that is not ours where the kind wants that.
absl::StatusOr<std::vector<CaKeyPair>> SignersFor(ForgeryKind kind,
                                                  const SpiffeId &id,
                                                  const CaKeyPair &ca,
                                                  Clock::TimePoint now) {
  struct Wanted {
    std::string uri;
    bool below_ours = true;
    ChangeCertificate change;
  };
  const std::string own = UriOf(id.trust_domain());
  std::vector<Wanted> wanted;
  switch (kind) {
    case ForgeryKind::kOtherTrustDomain:
    case ForgeryKind::kForeignSigner:
      wanted = {{UriOf(kOtherDomain), false, {}}};
      break;
    case ForgeryKind::kUnknownCa:
      wanted = {{own, false, {}}};
      break;
    case ForgeryKind::kIntermediate:
      wanted = {{own, true, {}}};
      break;
    case ForgeryKind::kIntermediateNoCa:
      wanted = {{own, true, WithoutCa()}};
      break;
    case ForgeryKind::kIntermediateWithPath:
      wanted = {{own + "/intermediate", true, {}}};
      break;
    case ForgeryKind::kPathTooLong:
      wanted = {{own, true, WithPathLength(0)}, {own, true, {}}};
      break;
    case ForgeryKind::kNameExcluded:
      wanted = {
          {own, true, WithExcludedUriHost(std::string(id.trust_domain()))}};
      break;
    default:
      break;
  }
  std::vector<CaKeyPair> signers;
  for (const Wanted &one : wanted) {
    const CaKeyPair *above = signers.empty() ? &ca : &signers.back();
    absl::StatusOr<CaKeyPair> pair = ForgeAuthority(
        one.uri, now, one.below_ours ? above : nullptr, one.change);
    if (!pair.ok()) {
      return pair.status();
    }
    signers.push_back(*std::move(pair));
  }
  return signers;
}

}  // namespace

std::string_view ForgeryName(ForgeryKind kind) {
  for (const NamedKind &named : kNames) {
    if (named.kind == kind) {
      return named.name;
    }
  }
  return "";
}

std::span<const ForgeryKind> AllForgeries() {
  return kAll;
}

absl::StatusOr<SvidForge> SvidForge::FromDirectory(
    const std::string &directory, const std::string &trust_domain) {
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory);
  if (!files.ok()) {
    return files.status();
  }
  absl::StatusOr<CaKeyPair> pair =
      LoadOrCreateCaKeyPair(*files, trust_domain, SystemClock().Now());
  if (!pair.ok()) {
    return pair.status();
  }
  return SvidForge(trust_domain, *std::move(pair));
}

absl::StatusOr<SvidForge> SvidForge::InMemory(const std::string &trust_domain,
                                              Clock::TimePoint now) {
  absl::StatusOr<CaKeyPair> pair =
      ForgeAuthority(UriOf(trust_domain), now, nullptr);
  if (!pair.ok()) {
    return pair.status();
  }
  return SvidForge(trust_domain, *std::move(pair));
}

Authorities SvidForge::authorities() const {
  return {trust_domain_, {EncodeCertificate(ca_.certificate.get()).value()}};
}

absl::StatusOr<ForgedSvid> SvidForge::Make(ForgeryKind kind,
                                           const SpiffeId &id,
                                           Clock::TimePoint now) const {
  absl::StatusOr<std::vector<CaKeyPair>> signers =
      SignersFor(kind, id, ca_, now);
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = GeneratePrivateKey();
  if (!signers.ok() || !key.ok()) {
    return signers.ok() ? key.status() : signers.status();
  }
  const CaKeyPair &signer = signers->empty() ? ca_ : signers->back();
  absl::StatusOr<bssl::UniquePtr<X509>> leaf = ForgeCertificate(
      FieldsFor(kind, id, now),
      key->get(),
      {.certificate = signer.certificate.get(), .key = signer.key.get()},
      LeafChangeFor(kind));
  if (!leaf.ok()) {
    return leaf.status();
  }
  ForgedSvid forged{*std::move(key), {EncodeCertificate(leaf->get()).value()}};
  if (kind == ForgeryKind::kBadSignature) {
    forged.chain.front().back() ^= 1;  // the end of the signature
  }
  for (auto above = signers->rbegin(); above != signers->rend(); ++above) {
    forged.chain.push_back(EncodeCertificate(above->certificate.get()).value());
  }
  return forged;
}

}  // namespace kith
