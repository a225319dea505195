// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/embedded_ca.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "agent/identity/ca_key_pair.h"
#include "agent/identity/certificate.h"
#include "agent/identity/certificate_builder.h"
#include "agent/identity/crl_file.h"
#include "agent/identity/jwt_keys.h"
#include "agent/identity/private_key.h"
#include "agent/identity/svid_ledger.h"
#include "kith/certificate_authority.h"

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

// Named returns what `target` names, each SVID once.
std::vector<SvidRecord> Named(const SvidTarget &target,
                              const std::vector<SvidRecord> &issued,
                              const std::vector<SvidRecord> &in_use) {
  std::map<std::string, SvidRecord> named;  // by serial
  for (const auto *list : {&issued, &in_use}) {
    for (const SvidRecord &svid : *list) {
      if (target.Names(svid)) {
        named.try_emplace(svid.serial, svid);
      }
    }
  }
  std::vector<SvidRecord> list;
  for (auto &[serial, svid] : named) {
    list.push_back(std::move(svid));
  }
  return list;
}

class EmbeddedCa final : public Issuer, public CertificateAuthority {
 public:
  EmbeddedCa(std::string directory,
             std::string trust_domain,
             CaKeyPair pair,
             Der certificate,
             Validity validity,
             JwtKeys jwt_keys,
             const Clock &clock)
      : directory_(std::move(directory)),
        trust_domain_(std::move(trust_domain)),
        pair_(std::move(pair)),
        certificate_(std::move(certificate)),
        validity_(validity),
        clock_(clock),
        jwt_keys_(std::move(jwt_keys)) {}

  absl::StatusOr<IssuedSvid> Issue(const SvidRequest &request) override;

  absl::StatusOr<std::string> IssueJwt(const JwtSvidRequest &request) override;
  absl::StatusOr<Authorities> FetchAuthorities() override;
  CertificateAuthority *authority() override { return this; }
  absl::StatusOr<std::vector<SvidRecord>> RevokeSvids(
      const SvidTarget &target, const std::vector<SvidRecord> &in_use) override;

  std::string Describe() const override {
    return absl::StrCat("embedded CA ", directory_);
  }

 private:
  absl::Status CheckId(const SpiffeId &id) const;
  absl::Status Check(const SvidRequest &request, Clock::TimePoint now) const;
  absl::Status Enter(const SvidRequest &request, X509 *leaf);

  const std::string directory_;
  const std::string trust_domain_;
  const CaKeyPair pair_;
  const Der certificate_;
  const Validity validity_;
  const Clock &clock_;

  absl::Mutex mutex_;
  JwtKeys jwt_keys_ ABSL_GUARDED_BY(mutex_);
  IssuedSvids issued_ ABSL_GUARDED_BY(mutex_);
};

absl::Status EmbeddedCa::CheckId(const SpiffeId &id) const {
  if (id.trust_domain() == trust_domain_ && !id.path().empty()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", id.uri(), "' is no workload of trust domain ", trust_domain_));
}

absl::Status EmbeddedCa::Check(const SvidRequest &request,
                               Clock::TimePoint now) const {
  if (absl::Status status = CheckId(request.id); !status.ok()) {
    return status;
  }
  if (request.ttl <= std::chrono::seconds(0)) {
    return absl::InvalidArgumentError("the TTL of an SVID is not positive");
  }
  if (!validity_.Contains(now)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the CA in ", directory_, " has expired or is not yet valid"));
  }
  return CheckDnsNames(request.dns_names);
}

absl::StatusOr<IssuedSvid> EmbeddedCa::Issue(const SvidRequest &request) {
  const Clock::TimePoint now = clock_.Now();
  if (absl::Status status = Check(request, now); !status.ok()) {
    return status;
  }
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key =
      ParsePublicKey(request.public_key);
  if (!key.ok()) {
    return key.status();
  }
  CertificateFields fields;
  // The subject stays empty: the SPIFFE ID is the only name, so that nothing
  // else can be taken for one.
  fields.uris = {request.id.uri()};
  fields.dns_names = request.dns_names;
  fields.validity = {
      std::max(now - kClockSkew, validity_.not_before),
      std::min<Clock::TimePoint>(now + request.ttl, validity_.not_after)};
  fields.key_usage = {KeyUsageBit::kDigitalSignature};
  fields.tls_server_and_client = true;
  absl::StatusOr<bssl::UniquePtr<X509>> leaf = BuildCertificate(
      fields,
      key->get(),
      {.certificate = pair_.certificate.get(), .key = pair_.key.get()});
  if (!leaf.ok()) {
    return leaf.status();
  }
  absl::StatusOr<Der> der = EncodeCertificate(leaf->get());
  if (!der.ok()) {
    return der.status();
  }
  if (absl::Status status = Enter(request, leaf->get()); !status.ok()) {
    return status;
  }
  return IssuedSvid{{*std::move(der)}};
}

// Whoever gets an SVID can lose it: it is in the books first.
absl::Status EmbeddedCa::Enter(const SvidRequest &request, X509 *leaf) {
  absl::StatusOr<Validity> validity = ValidityOf(leaf);
  if (!validity.ok()) {
    return validity.status();
  }
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory_);
  if (!files.ok()) {
    return files.status();
  }
  absl::MutexLock lock(&mutex_);
  return issued_.Add(*files,
                     {SerialOf(leaf),
                      SignerIdTextOf(leaf),
                      request.id.uri(),
                      validity->not_after},
                     clock_.Now());
}

absl::StatusOr<std::vector<SvidRecord>> EmbeddedCa::RevokeSvids(
    const SvidTarget &target, const std::vector<SvidRecord> &in_use) {
  const Clock::TimePoint now = clock_.Now();
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory_);
  if (!files.ok()) {
    return files.status();
  }
  absl::StatusOr<std::vector<SvidRecord>> issued =
      IssuedSvids::List(*files, now);
  absl::StatusOr<RevokedSvids> revoked = RevokedSvids::Load(*files, now);
  if (!issued.ok() || !revoked.ok()) {
    return issued.ok() ? revoked.status() : issued.status();
  }
  const std::vector<SvidRecord> named = Named(target, *issued, in_use);
  if (named.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no SVID that is alive or in use has the ",
                     target.id.has_value() ? "SPIFFE ID " : "serial ",
                     target.id.has_value() ? target.id->uri() : target.serial));
  }
  absl::Status status = revoked->Add(*files, named, now);
  if (!status.ok()) {
    return status;
  }
  return named;
}

absl::StatusOr<std::string> EmbeddedCa::IssueJwt(
    const JwtSvidRequest &request) {
  if (absl::Status status = CheckId(request.id); !status.ok()) {
    return status;
  }
  const Clock::TimePoint now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<JwtSigner> signer = jwt_keys_.Signer(now);
  if (!signer.ok()) {
    return signer.status();
  }
  return SignJwtSvid(request, *signer, now);
}

// Another agent of this machine may have made the next key.
absl::StatusOr<Authorities> EmbeddedCa::FetchAuthorities() {
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory_);
  if (!files.ok()) {
    return files.status();
  }
  absl::StatusOr<JwtKeys> keys = JwtKeys::LoadAndRotate(*files, clock_.Now());
  if (!keys.ok()) {
    return keys.status();
  }
  absl::StatusOr<RevokedSvids> revoked =
      RevokedSvids::Load(*files, clock_.Now());
  if (!revoked.ok()) {
    return revoked.status();
  }
  absl::StatusOr<Der> crl =
      CurrentCrl(*files, CaDirectory::kCrlFile, pair_, *revoked, clock_.Now());
  if (!crl.ok()) {
    return crl.status();
  }
  absl::MutexLock lock(&mutex_);
  jwt_keys_ = *std::move(keys);
  return Authorities{trust_domain_,
                     {certificate_},
                     jwt_keys_.authorities(),
                     {*std::move(crl)},
                     {}};
}

}  // namespace

absl::StatusOr<std::shared_ptr<Issuer>> CreateEmbeddedCa(
    const std::string &directory,
    const std::string &trust_domain,
    const Clock &clock) {
  if (absl::Status status = ValidateTrustDomain(trust_domain); !status.ok()) {
    return status;
  }
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory);
  if (!files.ok()) {
    return files.status();
  }
  absl::StatusOr<CaKeyPair> pair =
      LoadOrCreateCaKeyPair(*files, trust_domain, clock.Now());
  if (!pair.ok()) {
    return pair.status();
  }
  absl::StatusOr<JwtKeys> jwt_keys =
      JwtKeys::LoadAndRotate(*files, clock.Now());
  if (!jwt_keys.ok()) {
    return jwt_keys.status();
  }
  absl::StatusOr<Der> certificate = EncodeCertificate(pair->certificate.get());
  absl::StatusOr<Validity> validity = ValidityOf(pair->certificate.get());
  if (!certificate.ok() || !validity.ok()) {
    return certificate.ok() ? validity.status() : certificate.status();
  }
  return std::make_shared<EmbeddedCa>(directory,
                                      trust_domain,
                                      *std::move(pair),
                                      *std::move(certificate),
                                      *validity,
                                      *std::move(jwt_keys),
                                      clock);
}

}  // namespace kith
