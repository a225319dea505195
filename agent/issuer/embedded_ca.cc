// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/embedded_ca.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include <openssl/x509.h>

#include "agent/identity/certificate.h"
#include "agent/issuer/ca_authorities.h"
#include "agent/issuer/ca_signing.h"
#include "agent/issuer/crl_file.h"
#include "agent/issuer/jwt_key_orders.h"
#include "agent/issuer/jwt_keys.h"
#include "agent/issuer/svid_ledger.h"
#include "kith/certificate_authority.h"

namespace kith {
namespace {

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
             CaAuthorities authorities,
             JwtKeys jwt_keys,
             const Clock &clock)
      : directory_(std::move(directory)),
        trust_domain_(std::move(trust_domain)),
        clock_(clock),
        authorities_(std::move(authorities)),
        jwt_keys_(std::move(jwt_keys)) {}

  absl::StatusOr<IssuedSvid> Issue(const SvidRequest &request) override;
  absl::StatusOr<std::string> IssueJwt(const JwtSvidRequest &request) override;
  absl::StatusOr<Authorities> FetchAuthorities() override;
  std::string Describe() const override {
    return absl::StrCat("embedded CA ", directory_);
  }

  CertificateAuthority *authority() override { return this; }
  absl::StatusOr<std::vector<SvidRecord>> RevokeSvids(
      const SvidTarget &target, const std::vector<SvidRecord> &in_use) override;
  absl::StatusOr<std::vector<AuthorityRecord>> ListAuthorities() override;
  absl::StatusOr<std::string> ChangeAuthority(
      const AuthorityOrder &order) override;
  absl::StatusOr<std::vector<JwtKeyRecord>> ListJwtKeys() override {
    return kith::ListJwtKeys(directory_, clock_.Now());
  }
  absl::StatusOr<std::string> RotateJwtKey(bool at_once) override {
    return kith::RotateJwtKey(directory_, at_once, clock_.Now());
  }
  absl::Status RevokeJwtKey(const std::string &id) override {
    return kith::RevokeJwtKey(directory_, id, clock_.Now());
  }

 private:
  absl::Status CheckId(const SpiffeId &id) const;

  const std::string directory_;
  const std::string trust_domain_;
  const Clock &clock_;

  // Locked after the directory's lock if both are held.
  absl::Mutex mutex_;
  CaAuthorities authorities_ ABSL_GUARDED_BY(mutex_);
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

// An SVID is listed before it is handed out, because its owner can lose it. All
// under the directory's lock, so that no authority is tainted between the
// signature and its entry.
absl::StatusOr<IssuedSvid> EmbeddedCa::Issue(const SvidRequest &request) {
  if (absl::Status status = CheckId(request.id); !status.ok()) {
    return status;
  }
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory_);
  if (!files.ok()) {
    return files.status();
  }
  const Clock::TimePoint now = clock_.Now();
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<bssl::UniquePtr<X509>> leaf =
      SignSvid(request, authorities_.active(), now);
  if (!leaf.ok()) {
    return leaf.status();
  }
  absl::StatusOr<Der> der = EncodeCertificate(leaf->get());
  absl::StatusOr<Validity> validity = ValidityOf(leaf->get());
  if (!der.ok() || !validity.ok()) {
    return der.ok() ? validity.status() : der.status();
  }
  absl::Status status = issued_.Add(*files,
                                    {SerialOf(leaf->get()),
                                     authorities_.active().id,
                                     request.id.uri(),
                                     validity->not_after},
                                    now);
  if (!status.ok()) {
    return status;
  }
  IssuedSvid issued;
  issued.chain.push_back(*std::move(der));
  return issued;
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

// Another agent of this machine may have changed anything.
absl::StatusOr<Authorities> EmbeddedCa::FetchAuthorities() {
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory_);
  if (!files.ok()) {
    return files.status();
  }
  const Clock::TimePoint now = clock_.Now();
  absl::StatusOr<CaAuthorities> loaded =
      CaAuthorities::Load(*files, trust_domain_, now);
  absl::StatusOr<JwtKeys> keys = JwtKeys::LoadAndRotate(*files, now);
  absl::StatusOr<RevokedSvids> revoked = RevokedSvids::Load(*files, now);
  for (const absl::Status &status :
       {loaded.status(), keys.status(), revoked.status()}) {
    if (!status.ok()) {
      return status;
    }
  }
  Authorities all{trust_domain_, {}, keys->authorities(), {}, {}};
  for (const CaAuthorities::Entry &entry : loaded->entries()) {
    absl::StatusOr<Der> crl =
        CurrentCrl(*files, entry.stem, *entry.pair, *revoked, now);
    if (!crl.ok()) {
      return crl.status();
    }
    all.certificates.push_back(entry.certificate);
    all.crls.push_back(*std::move(crl));
    if (entry.state == AuthorityState::kTainted) {
      all.tainted.push_back(entry.id);
    }
  }
  absl::MutexLock lock(&mutex_);
  authorities_ = *std::move(loaded);
  jwt_keys_ = *std::move(keys);
  return all;
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

absl::StatusOr<std::vector<AuthorityRecord>> EmbeddedCa::ListAuthorities() {
  const Clock::TimePoint now = clock_.Now();
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory_);
  if (!files.ok()) {
    return files.status();
  }
  absl::StatusOr<CaAuthorities> loaded =
      CaAuthorities::Load(*files, trust_domain_, now);
  absl::StatusOr<std::vector<SvidRecord>> issued =
      IssuedSvids::List(*files, now);
  if (!loaded.ok() || !issued.ok()) {
    return loaded.ok() ? issued.status() : loaded.status();
  }
  std::vector<AuthorityRecord> records;
  for (const CaAuthorities::Entry &entry : loaded->entries()) {
    const auto alive =
        std::ranges::count(*issued, entry.id, &SvidRecord::authority);
    records.push_back({entry.id,
                       entry.state,
                       entry.since,
                       entry.validity.not_after,
                       static_cast<size_t>(alive),
                       files->PathOf(entry.stem)});
  }
  return records;
}

absl::StatusOr<std::string> EmbeddedCa::ChangeAuthority(
    const AuthorityOrder &order) {
  const Clock::TimePoint now = clock_.Now();
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory_);
  if (!files.ok()) {
    return files.status();
  }
  absl::StatusOr<CaAuthorities> loaded =
      CaAuthorities::Load(*files, trust_domain_, now);
  if (!loaded.ok()) {
    return loaded.status();
  }
  return loaded->Apply(*files, trust_domain_, order, now);
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
  absl::StatusOr<CaAuthorities> authorities =
      CaAuthorities::LoadOrCreate(*files, trust_domain, clock.Now());
  if (!authorities.ok()) {
    return authorities.status();
  }
  absl::StatusOr<JwtKeys> jwt_keys =
      JwtKeys::LoadAndRotate(*files, clock.Now());
  if (!jwt_keys.ok()) {
    return jwt_keys.status();
  }
  return std::make_shared<EmbeddedCa>(directory,
                                      trust_domain,
                                      *std::move(authorities),
                                      *std::move(jwt_keys),
                                      clock);
}

}  // namespace kith
