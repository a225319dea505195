// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_authorities.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/identity/certificate_builder.h"
#include "agent/identity/rotation_schedule.h"
#include "agent/issuer/ca_authority_list.h"
#include "agent/issuer/svid_ledger.h"

namespace kith {
namespace {

absl::Status NotNow(const CaAuthorities::Entry &entry, std::string_view way) {
  return absl::FailedPreconditionError(absl::StrCat(
      "authority ", entry.id, " is ", StateName(entry.state), ": ", way));
}

void RemoveFiles(const CaDirectory &directory, std::string_view stem) {
  for (std::string_view suffix : {".key", ".crt", ".crl"}) {
    (void)directory.Remove(absl::StrCat(stem, suffix));
  }
}

// A directory that has signed and has no authority has lost it: peers would not
// trust a new one.
absl::Status CheckUnused(const CaDirectory &directory) {
  for (std::string_view name :
       {CaDirectory::kKeyFile, CaDirectory::kCertificateFile}) {
    absl::StatusOr<bool> has = directory.Has(name);
    if (!has.ok() || *has) {
      return has.status();
    }
  }
  absl::StatusOr<bool> used = directory.Has(IssuedSvids::kFile);
  if (!used.ok() || !*used) {
    return used.status();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(directory.PathOf(kAuthorityList),
                   " is missing: restore a backup (kith ca restore), or move "
                   "the directory away for a new CA"));
}

}  // namespace

absl::StatusOr<CaAuthorities> CaAuthorities::LoadOrCreate(
    const CaDirectory &directory,
    const std::string &trust_domain,
    Clock::TimePoint now) {
  absl::StatusOr<bool> listed = directory.Has(kAuthorityList);
  if (!listed.ok()) {
    return listed.status();
  }
  if (*listed) {
    return Load(directory, trust_domain, now);
  }
  if (absl::Status status = CheckUnused(directory); !status.ok()) {
    return status;
  }
  absl::StatusOr<CaKeyPair> pair =
      LoadOrCreateCaKeyPair(directory, trust_domain, now);
  if (!pair.ok()) {
    return pair.status();
  }
  CaAuthorities authorities;
  absl::Status status = authorities.Add(
      directory, std::string(CaDirectory::kFirstStem), *std::move(pair));
  if (!status.ok()) {
    return status;
  }
  Entry &first = authorities.entries_.front();
  first.state = AuthorityState::kActive;
  first.since = first.validity.not_before + kClockSkew;
  return authorities;
}

absl::StatusOr<CaAuthorities> CaAuthorities::Load(
    const CaDirectory &directory,
    const std::string &trust_domain,
    Clock::TimePoint now) {
  absl::StatusOr<bool> listed = directory.Has(kAuthorityList);
  absl::StatusOr<bool> first =
      directory.Has(absl::StrCat(CaDirectory::kFirstStem, ".crt"));
  if (!listed.ok() || !first.ok()) {
    return listed.ok() ? first.status() : listed.status();
  }
  if (!*listed) {
    return *first
               ? LoadOrCreate(directory, trust_domain, now)
               : absl::StatusOr<CaAuthorities>(absl::NotFoundError(absl::StrCat(
                     directory.PathOf(kAuthorityList), " is missing")));
  }
  absl::StatusOr<std::vector<AuthorityRow>> rows = ReadAuthorityList(directory);
  if (!rows.ok()) {
    return rows.status();
  }
  CaAuthorities authorities;
  for (AuthorityRow &row : *rows) {
    absl::StatusOr<CaKeyPair> pair =
        LoadCaKeyPair(directory, row.stem, trust_domain, now);
    absl::Status status =
        pair.ok() ? authorities.Add(directory, row.stem, *std::move(pair))
                  : pair.status();
    if (!status.ok()) {
      return status;
    }
    Entry &entry = authorities.entries_.back();
    if (entry.id != row.id) {
      return absl::DataLossError(absl::StrCat(
          directory.PathOf(row.stem), ".crt is not authority ", row.id));
    }
    entry.state = row.state;
    entry.since = row.since;
  }
  return authorities;
}

absl::Status CaAuthorities::Add(const CaDirectory &directory,
                                std::string stem,
                                CaKeyPair pair) {
  absl::StatusOr<Der> certificate = EncodeCertificate(pair.certificate.get());
  absl::StatusOr<Validity> validity = ValidityOf(pair.certificate.get());
  if (!certificate.ok() || !validity.ok()) {
    return certificate.ok() ? validity.status() : certificate.status();
  }
  Entry entry;
  entry.id = KeyIdTextOf(pair.certificate.get());
  if (entry.id.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        directory.PathOf(stem), ".crt has no subject key identifier"));
  }
  entry.stem = std::move(stem);
  entry.certificate = *std::move(certificate);
  entry.validity = *validity;
  entry.pair = std::make_shared<const CaKeyPair>(std::move(pair));
  entries_.push_back(std::move(entry));
  return absl::OkStatus();
}

const CaAuthorities::Entry &CaAuthorities::active() const {
  return *std::ranges::find(entries_, AuthorityState::kActive, &Entry::state);
}

absl::StatusOr<std::string> CaAuthorities::Prepare(
    const CaDirectory &directory,
    const std::string &trust_domain,
    Clock::TimePoint now) {
  if (entries_.size() == kMost) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "there are ", kMost, " authorities: taint and revoke an old one"));
  }
  // No stem is used twice: the file of a revoked authority may still exist.
  const std::string stem = absl::StrCat(
      "ca-",
      std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch())
          .count());
  absl::StatusOr<CaKeyPair> pair =
      CreateCaKeyPair(directory, stem, trust_domain, now);
  absl::Status status =
      pair.ok() ? Add(directory, stem, *std::move(pair)) : pair.status();
  if (!status.ok()) {
    return status;
  }
  entries_.back().since = now;
  return entries_.back().id;
}

absl::Status CaAuthorities::Activate(Entry &entry,
                                     bool at_once,
                                     Clock::TimePoint now) {
  if (entry.state != AuthorityState::kPrepared) {
    return NotNow(entry, "prepare another one");
  }
  if (!at_once && now < entry.since + kBundleRefresh) {
    return NotNow(
        entry,
        absl::StrCat("peers that follow the trust bundle may not have it "
                     "before ",
                     kBundleRefresh.count(),
                     " s have passed; wait, or say --now"));
  }
  for (Entry &each : entries_) {
    if (each.state == AuthorityState::kActive) {
      each.state = AuthorityState::kOld;
      each.since = now;
    }
  }
  entry.state = AuthorityState::kActive;
  return absl::OkStatus();
}

absl::Status CaAuthorities::Change(Entry &entry,
                                   const AuthorityOrder &order,
                                   Clock::TimePoint now) {
  switch (order.change) {
    case AuthorityChange::kPrepare:
      break;
    case AuthorityChange::kActivate:
      return Activate(entry, order.at_once, now);
    case AuthorityChange::kTaint:
      if (entry.state != AuthorityState::kOld) {
        return NotNow(entry,
                      "only an old one can be tainted; prepare and activate "
                      "another one first");
      }
      entry.state = AuthorityState::kTainted;
      entry.since = now;
      break;
    case AuthorityChange::kRevoke:
      if (entry.state != AuthorityState::kTainted) {
        return NotNow(entry, "only a tainted one can be revoked");
      }
      break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CaAuthorities::Apply(
    const CaDirectory &directory,
    const std::string &trust_domain,
    const AuthorityOrder &order,
    Clock::TimePoint now) {
  CaAuthorities changed = *this;
  absl::StatusOr<std::string> id =
      order.change == AuthorityChange::kPrepare
          ? changed.Prepare(directory, trust_domain, now)
          : order.id;
  if (!id.ok()) {
    return id.status();
  }
  const auto entry =
      id->empty()
          ? std::ranges::find(
                changed.entries_, AuthorityState::kPrepared, &Entry::state)
          : std::ranges::find(changed.entries_, *id, &Entry::id);
  if (entry == changed.entries_.end()) {
    return absl::NotFoundError(
        id->empty()
            ? "no authority is prepared (kith ca prepare)"
            : absl::StrCat("there is no authority ", *id, " (kith ca show)"));
  }
  id = entry->id;
  const std::string stem = entry->stem;
  absl::Status status = changed.Change(*entry, order, now);
  const bool revoked = order.change == AuthorityChange::kRevoke;
  if (status.ok() && revoked) {
    changed.entries_.erase(entry);
  }
  if (status.ok()) {
    status = changed.Save(directory);
  }
  if (!status.ok()) {
    return status;
  }
  if (revoked) {
    RemoveFiles(directory, stem);
  }
  *this = std::move(changed);
  return id;
}

absl::Status CaAuthorities::Save(const CaDirectory &directory) const {
  std::vector<AuthorityRow> rows;
  for (const Entry &entry : entries_) {
    rows.push_back({entry.stem, entry.id, entry.state, entry.since});
  }
  return WriteAuthorityList(directory, rows);
}

}  // namespace kith
