// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/crl_file.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/identity/certificate_pem.h"

namespace kith {
namespace {

constexpr size_t kMaxCrlBytes = size_t{1} << 20;

// An unusable file is made again: it contains no unique facts.
std::optional<Der> Usable(const CaDirectory &directory,
                          std::string_view name,
                          X509 *signer,
                          const std::vector<RevokedSerial> &revoked,
                          Clock::TimePoint now) {
  absl::StatusOr<std::string> pem = directory.ReadText(name, kMaxCrlBytes);
  if (!pem.ok() || pem->empty()) {
    return std::nullopt;
  }
  absl::StatusOr<Der> der = ParseCrlPem(*pem);
  if (!der.ok()) {
    return std::nullopt;
  }
  absl::StatusOr<CrlContents> contents = ReadCrl(*der, signer);
  if (!contents.ok() || contents->revoked != revoked ||
      now < contents->validity.not_before ||
      contents->validity.not_after < now + kCrlLifetime / 2) {
    return std::nullopt;
  }
  return *std::move(der);
}

}  // namespace

absl::StatusOr<Der> CurrentCrl(const CaDirectory &directory,
                               std::string_view stem,
                               const CaKeyPair &pair,
                               const RevokedSvids &revoked,
                               Clock::TimePoint now) {
  const std::string name = absl::StrCat(stem, ".crl");
  const CrlContents wanted{revoked.Of(KeyIdTextOf(pair.certificate.get())),
                           {now - kClockSkew, now + kCrlLifetime}};
  if (std::optional<Der> known = Usable(
          directory, name, pair.certificate.get(), wanted.revoked, now)) {
    return *std::move(known);
  }
  absl::StatusOr<Der> der = BuildCrl(
      wanted, {.certificate = pair.certificate.get(), .key = pair.key.get()});
  if (!der.ok()) {
    return der;
  }
  const std::string pem = CrlsPem({*der});
  const auto *bytes = reinterpret_cast<const uint8_t *>(pem.data());
  absl::Status status = directory.Write(name, 0644, {bytes, pem.size()});
  if (!status.ok()) {
    return status;
  }
  return der;
}

}  // namespace kith
