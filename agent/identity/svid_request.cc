// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/svid_request.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/identity/certificate_request.h"
#include "agent/identity/private_key.h"
#include "agent/identity/rotation_schedule.h"

namespace kith {
namespace {

// NoteOf says why the SVID lives shorter than requested, beyond rounding to
// seconds.
std::string NoteOf(const X509Svid &svid,
                   const ClampedTtl &asked,
                   Clock::TimePoint now) {
  const auto given =
      std::chrono::ceil<std::chrono::seconds>(svid.not_after() - now);
  if (given + std::chrono::seconds(1) >= asked.ttl) {
    return asked.note;
  }
  return absl::StrCat(asked.note,
                      asked.note.empty() ? "" : "; ",
                      "the issuer gave ",
                      given.count(),
                      "s of ",
                      asked.ttl.count(),
                      "s");
}

}  // namespace

absl::StatusOr<RequestedSvid> RequestSvid(const SvidSpec &spec,
                                          Issuer &issuer,
                                          Clock::TimePoint now) {
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = GeneratePrivateKey();
  if (!key.ok()) {
    return key.status();
  }
  absl::StatusOr<Der> csr =
      MakeCertificateRequest(key->get(), spec.id, spec.dns_names);
  if (!csr.ok()) {
    return csr.status();
  }
  const ClampedTtl asked = ClampTtl(spec.ttl);
  absl::StatusOr<IssuedSvid> issued =
      issuer.Issue({spec.id, *std::move(csr), spec.dns_names, asked.ttl});
  if (!issued.ok()) {
    return issued.status();
  }
  if (!issued->private_key.empty()) {
    key = ParsePrivateKey(std::as_const(issued->private_key).bytes());
    if (!key.ok()) {
      return absl::Status(key.status().code(),
                          absl::StrCat(issuer.Describe(),
                                       " gave an unusable key: ",
                                       key.status().message()));
    }
  }
  absl::StatusOr<std::shared_ptr<const X509Svid>> svid =
      X509Svid::Create(spec.id, *std::move(key), std::move(issued->chain));
  if (!svid.ok()) {
    return absl::Status(svid.status().code(),
                        absl::StrCat(issuer.Describe(),
                                     " gave an unusable SVID: ",
                                     svid.status().message()));
  }
  if ((*svid)->not_after() <= now) {
    return absl::UnavailableError(
        absl::StrCat(issuer.Describe(), " gave an expired SVID"));
  }
  std::string note = NoteOf(**svid, asked, now);
  return RequestedSvid{*std::move(svid), std::move(note)};
}

}  // namespace kith
