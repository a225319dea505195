// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_backup.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "agent/identity/jws.h"
#include "agent/identity/private_key.h"
#include "agent/issuer/ca_authorities.h"
#include "agent/issuer/ca_authority_list.h"
#include "agent/issuer/directory_swap.h"
#include "agent/issuer/encrypted_key.h"
#include "agent/issuer/jwt_keys.h"
#include "agent/issuer/svid_ledger.h"

namespace kith {
namespace {

using nlohmann::json;

constexpr std::string_view kHeader =
    R"({"alg":"ES256","typ":"kith-ca-backup"})";
constexpr std::string_view kKeySuffix = ".key";
// Some authorities and JWT keys, three files each at most, and the lists.
constexpr size_t kMaxFiles = 64;
constexpr size_t kMaxTextBytes = size_t{1} << 20;

bool IsKey(std::string_view name) {
  return name.ends_with(kKeySuffix);
}

// IsKept excludes what an agent makes again, and the lists of issued SVIDs:
// those of the replaced directory are newer.
bool IsKept(std::string_view name) {
  return IsKey(name) || name.ends_with(".crt") || name == kAuthorityList ||
         name == RevokedSvids::kFile;
}

// A backup is foreign input: its names must not lead out of the directory.
bool IsPlainName(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.';
  });
}

absl::StatusOr<std::string> Packed(const CaDirectory &directory,
                                   const std::string &name,
                                   const Secret &passphrase) {
  if (!IsKey(name)) {
    return directory.ReadText(name, kMaxTextBytes);
  }
  absl::StatusOr<Secret> pem = directory.Read(name, 0077);
  if (!pem.ok()) {
    return pem.status();
  }
  auto key = ParsePrivateKey(std::as_const(*pem).bytes());
  if (!key.ok()) {
    return key.status();
  }
  return EncryptKey(key->get(), passphrase);
}

absl::StatusOr<json> FilesOf(const CaDirectory &directory,
                             const Secret &passphrase) {
  absl::StatusOr<std::vector<std::string>> names = directory.List();
  if (!names.ok()) {
    return names.status();
  }
  json files = json::object();
  for (const std::string &name : *names) {
    if (!IsKept(name)) {
      continue;
    }
    absl::StatusOr<std::string> text = Packed(directory, name, passphrase);
    if (!text.ok()) {
      return text.status();
    }
    files[name] = *std::move(text);
  }
  return files;
}

// Backup is a decrypted backup whose signature is right.
struct Backup {
  std::map<std::string, std::string> texts;
  std::map<std::string, bssl::UniquePtr<EVP_PKEY>> keys;
};

absl::Status Unpack(const json &files,
                    const Secret &passphrase,
                    Backup &backup) {
  for (const auto &[name, text] : files.items()) {
    if (!text.is_string() || !IsKept(name) || !IsPlainName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the backup has an unknown file '", name, "'"));
    }
    if (!IsKey(name)) {
      backup.texts[name] = text.get<std::string>();
      continue;
    }
    auto key = DecryptKey(text.get_ref<const std::string &>(), passphrase);
    if (!key.ok()) {
      return absl::Status(key.status().code(),
                          absl::StrCat(name, ": ", key.status().message()));
    }
    backup.keys[name] = *std::move(key);
  }
  return absl::OkStatus();
}

absl::StatusOr<Backup> Open(std::string_view token, const Secret &passphrase) {
  absl::StatusOr<JwsParts> parts = SplitJws(absl::StripAsciiWhitespace(token));
  const json payload =
      parts.ok() ? json::parse(parts->payload, nullptr, false) : json();
  if (!payload.is_object() || parts->header != kHeader ||
      !payload.contains("files") || !payload["files"].is_object() ||
      payload["files"].size() > kMaxFiles || !payload.contains("active") ||
      !payload["active"].is_string()) {
    return absl::InvalidArgumentError("this is no backup of a CA");
  }
  Backup backup;
  absl::Status status = Unpack(payload["files"], passphrase, backup);
  if (!status.ok()) {
    return status;
  }
  const auto active = backup.keys.find(
      absl::StrCat(payload["active"].get<std::string>(), kKeySuffix));
  if (active == backup.keys.end()) {
    return absl::InvalidArgumentError("the backup lacks the active authority");
  }
  status = VerifyJws(*parts, "ES256", active->second.get());
  if (!status.ok()) {
    return absl::InvalidArgumentError("the backup is damaged");
  }
  return backup;
}

absl::Status WriteTo(const CaDirectory &directory, const Backup &backup) {
  for (const auto &[name, text] : backup.texts) {
    const auto *bytes = reinterpret_cast<const uint8_t *>(text.data());
    const mode_t mode = name.ends_with(".crt") ? 0644 : 0600;
    absl::Status status = directory.Write(name, mode, {bytes, text.size()});
    if (!status.ok()) {
      return status;
    }
  }
  for (const auto &[name, key] : backup.keys) {
    absl::StatusOr<Secret> pem = EncodePrivateKey(key.get());
    if (!pem.ok()) {
      return pem.status();
    }
    absl::Status status =
        directory.Write(name, 0600, std::as_const(*pem).bytes());
    if (!status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

// TryOut opens the directory as an agent does at its start.
absl::Status TryOut(const CaDirectory &directory,
                    const std::string &trust_domain,
                    Clock::TimePoint now) {
  const absl::Status authorities =
      CaAuthorities::Load(directory, trust_domain, now).status();
  return authorities.ok() ? JwtKeys::LoadAndRotate(directory, now).status()
                          : authorities;
}

// SVIDs of the present CA can be revoked after a restore too.
absl::Status KeepIssued(const CaDirectory &present,
                        const CaDirectory &restored,
                        Clock::TimePoint now) {
  absl::StatusOr<std::vector<SvidRecord>> issued =
      IssuedSvids::List(present, now);
  absl::Status kept = issued.status();
  IssuedSvids book;
  for (size_t i = 0; kept.ok() && i < issued->size(); ++i) {
    kept = book.Add(restored, (*issued)[i], now);
  }
  return kept;
}

// A restore brings no SVID back into force; an authority that was tainted after
// the backup becomes valid again, as the backup says.
absl::Status KeepRevoked(const CaDirectory &present,
                         const CaDirectory &restored,
                         Clock::TimePoint now) {
  absl::StatusOr<RevokedSvids> newer = RevokedSvids::Load(present, now);
  absl::StatusOr<RevokedSvids> older = RevokedSvids::Load(restored, now);
  if (!newer.ok() || !older.ok()) {
    return newer.ok() ? older.status() : newer.status();
  }
  return older->Merge(restored, *newer);
}

absl::StatusOr<bool> HasCa(const CaDirectory &directory) {
  for (std::string_view name :
       {kAuthorityList, CaDirectory::kKeyFile, CaDirectory::kCertificateFile}) {
    absl::StatusOr<bool> has = directory.Has(name);
    if (!has.ok() || *has) {
      return has;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<std::string> BackUpCa(const CaDirectory &directory,
                                     const std::string &trust_domain,
                                     const Secret &passphrase,
                                     Clock::TimePoint now) {
  if (passphrase.empty()) {
    return absl::InvalidArgumentError("the passphrase is empty");
  }
  absl::StatusOr<CaAuthorities> authorities =
      CaAuthorities::Load(directory, trust_domain, now);
  if (!authorities.ok()) {
    return authorities.status();
  }
  absl::StatusOr<json> files = FilesOf(directory, passphrase);
  if (!files.ok()) {
    return files.status();
  }
  const json payload = {
      {"trustDomain", trust_domain},
      {"createdAt", std::chrono::system_clock::to_time_t(now)},
      {"active", authorities->active().stem},
      {"files", *std::move(files)}};
  absl::StatusOr<std::string> token =
      SignJws(kHeader, payload.dump(), authorities->active().pair->key.get());
  if (!token.ok()) {
    return token.status();
  }
  return *token + "\n";
}

absl::StatusOr<std::string> RestoreCa(const CaRestore &wanted,
                                      std::string_view text,
                                      const Secret &passphrase,
                                      Clock::TimePoint now) {
  absl::StatusOr<Backup> backup = Open(text, passphrase);
  if (!backup.ok()) {
    return backup.status();
  }
  absl::StatusOr<CaDirectory> present = CaDirectory::Open(wanted.directory);
  absl::StatusOr<bool> occupied =
      present.ok() ? HasCa(*present) : absl::StatusOr<bool>(present.status());
  if (!occupied.ok()) {
    return occupied.status();
  }
  if (*occupied && !wanted.replace) {
    return absl::AlreadyExistsError(absl::StrCat(
        wanted.directory, " holds a CA: say --replace to put it aside"));
  }
  return SwapDirectory(
      wanted.directory,
      [&](const std::string &path) {
        absl::StatusOr<CaDirectory> fresh = CaDirectory::Open(path);
        absl::Status status =
            fresh.ok() ? WriteTo(*fresh, *backup) : fresh.status();
        if (status.ok()) {
          status = TryOut(*fresh, wanted.trust_domain, now);
        }
        if (status.ok()) {
          status = KeepIssued(*present, *fresh, now);
        }
        return status.ok() ? KeepRevoked(*present, *fresh, now) : status;
      },
      *occupied ? absl::StrCat(".replaced-",
                               std::chrono::system_clock::to_time_t(now))
                : "");
}

}  // namespace kith
