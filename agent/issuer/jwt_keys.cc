// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/jwt_keys.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include <openssl/evp.h>

#include "agent/identity/jwk.h"
#include "agent/identity/private_key.h"

namespace kith {
namespace {

constexpr std::string_view kPrefix = "jwt-";
constexpr std::string_view kSuffix = ".key";

std::string FileOf(Clock::TimePoint signs_from) {
  return absl::StrCat(
      kPrefix,
      std::chrono::floor<std::chrono::seconds>(signs_from.time_since_epoch())
          .count(),
      kSuffix);
}

// TimeOf returns nullopt for a file of another kind.
std::optional<Clock::TimePoint> TimeOf(std::string_view name) {
  uint32_t seconds = 0;
  if (!absl::ConsumePrefix(&name, kPrefix) ||
      !absl::ConsumeSuffix(&name, kSuffix) ||
      !absl::SimpleAtoi(name, &seconds)) {
    return std::nullopt;
  }
  return Clock::TimePoint(std::chrono::seconds(seconds));
}

}  // namespace

absl::StatusOr<JwtKeys> JwtKeys::LoadAndRotate(const CaDirectory &directory,
                                               Clock::TimePoint now) {
  JwtKeys keys;
  absl::Status status = keys.Load(directory);
  if (status.ok()) {
    status = keys.AddNext(directory, now);
  }
  if (status.ok()) {
    status = keys.RemoveRetired(directory, now);
  }
  if (!status.ok()) {
    return status;
  }
  return keys;
}

absl::Status JwtKeys::Load(const CaDirectory &directory) {
  absl::StatusOr<std::vector<std::string>> names = directory.List();
  if (!names.ok()) {
    return names.status();
  }
  for (const std::string &name : *names) {
    const std::optional<Clock::TimePoint> signs_from = TimeOf(name);
    if (!signs_from.has_value()) {
      continue;
    }
    absl::StatusOr<Secret> pem = directory.Read(name, 0077);
    if (!pem.ok()) {
      return pem.status();
    }
    auto key = ParsePrivateKey(std::as_const(*pem).bytes());
    if (!key.ok()) {
      return absl::Status(
          key.status().code(),
          absl::StrCat(directory.PathOf(name), ": ", key.status().message()));
    }
    if (absl::Status added = Add(*signs_from, *std::move(key)); !added.ok()) {
      return added;
    }
  }
  std::ranges::sort(entries_, {}, &Entry::signs_from);
  return absl::OkStatus();
}

absl::Status JwtKeys::Add(Clock::TimePoint signs_from,
                          bssl::UniquePtr<EVP_PKEY> key) {
  absl::StatusOr<Der> public_key = PublicKeyOf(key.get());
  if (!public_key.ok()) {
    return public_key.status();
  }
  absl::StatusOr<std::string> key_id = KeyIdOf(*public_key);
  if (!key_id.ok()) {
    return key_id.status();
  }
  entries_.push_back({signs_from,
                      {*std::move(key_id), *std::move(public_key)},
                      std::move(key)});
  return absl::OkStatus();
}

// The first key signs at once: nobody has a bundle yet.
absl::Status JwtKeys::AddNext(const CaDirectory &directory,
                              Clock::TimePoint now) {
  const bool first = entries_.empty();
  if (!first &&
      now + kJwtKeyLead < entries_.back().signs_from + kJwtKeyPeriod) {
    return absl::OkStatus();
  }
  return Generate(directory, first ? now : now + kJwtKeyLead);
}

absl::Status JwtKeys::Generate(const CaDirectory &directory,
                               Clock::TimePoint from) {
  const Clock::TimePoint signs_from =
      std::chrono::floor<std::chrono::seconds>(from);
  auto key = GeneratePrivateKey();
  if (!key.ok()) {
    return key.status();
  }
  absl::StatusOr<Secret> pem = EncodePrivateKey(key->get());
  if (!pem.ok()) {
    return pem.status();
  }
  if (absl::Status written = directory.Write(
          FileOf(signs_from), 0600, std::as_const(*pem).bytes());
      !written.ok()) {
    return written;
  }
  return Add(signs_from, *std::move(key));
}

absl::Status JwtKeys::RemoveRetired(const CaDirectory &directory,
                                    Clock::TimePoint now) {
  while (entries_.size() > 1 && entries_[1].signs_from + kJwtKeyLinger < now) {
    if (absl::Status removed =
            directory.Remove(FileOf(entries_.front().signs_from));
        !removed.ok()) {
      return removed;
    }
    entries_.erase(entries_.begin());
  }
  return absl::OkStatus();
}

absl::StatusOr<JwtSigner> JwtKeys::Signer(Clock::TimePoint now) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->signs_from <= now) {
      return JwtSigner{entry->authority.key_id, entry->key.get()};
    }
  }
  return absl::UnavailableError(
      "no key signs JWT-SVIDs yet: the clock was set back");
}

std::vector<JwtAuthority> JwtKeys::authorities() const {
  std::vector<JwtAuthority> authorities;
  for (const Entry &entry : entries_) {
    authorities.push_back(entry.authority);
  }
  return authorities;
}

absl::StatusOr<std::string> JwtKeys::Rotate(const CaDirectory &directory,
                                            bool at_once,
                                            Clock::TimePoint now) {
  const Clock::TimePoint newest = entries_.back().signs_from;
  if (!at_once && newest > now) {
    return absl::FailedPreconditionError(
        absl::StrCat("key ",
                     entries_.back().authority.key_id,
                     " is prepared already: it signs when everybody has it "
                     "(--now does not wait)"));
  }
  if (entries_.size() >= kMostJwtKeys) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ",
                     kMostJwtKeys,
                     " keys: old ones go 15 minutes after their successor "
                     "began to sign, or when they are revoked"));
  }
  Clock::TimePoint from = at_once ? now : now + kJwtKeyLead;
  while (TakesFileOf(from)) {
    from += std::chrono::seconds(1);
  }
  absl::Status made = Generate(directory, from);
  if (!made.ok()) {
    return made;
  }
  std::string id = entries_.back().authority.key_id;
  std::ranges::sort(entries_, {}, &Entry::signs_from);
  return id;
}

absl::Status JwtKeys::Revoke(const CaDirectory &directory,
                             const std::string &id,
                             Clock::TimePoint now) {
  const auto is_it = [&id](const Entry &entry) {
    return entry.authority.key_id == id;
  };
  const auto entry = std::ranges::find_if(entries_, is_it);
  if (entry == entries_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no key of JWT-SVIDs has the id '", id, "'"));
  }
  const Clock::TimePoint signs_from = entry->signs_from;
  absl::StatusOr<JwtSigner> signer = Signer(now);
  const bool needed = signer.ok() && signer->key_id == id;
  if (needed) {
    if (absl::Status made = Generate(directory, now); !made.ok()) {
      return made;
    }
  }
  std::erase_if(entries_, is_it);
  // A key of the same second has replaced its file.
  return needed && TakesFileOf(signs_from)
             ? absl::OkStatus()
             : directory.Remove(FileOf(signs_from));
}

bool JwtKeys::TakesFileOf(Clock::TimePoint from) const {
  return std::ranges::any_of(entries_, [from](const Entry &entry) {
    return FileOf(entry.signs_from) == FileOf(from);
  });
}

std::vector<JwtKeyRecord> JwtKeys::List(Clock::TimePoint now) const {
  const absl::StatusOr<JwtSigner> signer = Signer(now);
  std::vector<JwtKeyRecord> records;
  for (const Entry &entry : entries_) {
    const std::string &id = entry.authority.key_id;
    const AuthorityState state =
        entry.signs_from > now                ? AuthorityState::kPrepared
        : signer.ok() && signer->key_id == id ? AuthorityState::kActive
                                              : AuthorityState::kOld;
    records.push_back({id, state, entry.signs_from});
  }
  return records;
}

}  // namespace kith
