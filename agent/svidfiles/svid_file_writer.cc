// SPDX-License-Identifier: Apache-2.0
#include "agent/svidfiles/svid_file_writer.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "agent/identity/certificate_pem.h"
#include "agent/identity/jwt_svid.h"
#include "agent/identity/private_key.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

}  // namespace

bool HaveSameFiles(const WorkloadIdentity &a, const WorkloadIdentity &b) {
  return a.spiffe_id == b.spiffe_id && a.x509_files == b.x509_files &&
         a.jwt_files == b.jwt_files && a.tokens == b.tokens;
}

absl::Status WriteX509Files(SvidStore &svids,
                            MemoryDirectory &directory,
                            const FilePlace &place,
                            const std::shared_ptr<const X509Svid> &svid,
                            WrittenFiles &written) {
  const SpiffeId &id = svid->id();
  const auto bundle = svids.bundle();
  if (bundle == nullptr) {
    return absl::UnavailableError("the trust bundle is not there yet");
  }
  if (written.svid == svid && written.bundle == bundle) {
    return absl::OkStatus();
  }
  auto key = EncodePrivateKey(svid->key());
  if (!key.ok()) {
    return key.status();
  }
  std::string roots;
  for (const Authorities &domain : bundle->authorities()) {
    if (domain.trust_domain == id.trust_domain()) {
      roots = CertificatesPem(domain.certificates);
    }
  }
  const std::string chain = CertificatesPem(svid->chain());
  absl::Status done = directory.Write(place,
                                      {{"key.pem", std::as_const(*key).bytes()},
                                       {"svid.pem", BytesOf(chain)},
                                       {"bundle.pem", BytesOf(roots)}});
  if (done.ok()) {
    written.svid = svid;
    written.bundle = bundle;
    Log(LogLevel::kInfo,
        "SVID files written",
        {{"identity", id.uri()},
         {"serial", svid->serial()},
         {"directory", directory.PathOf(place)}});
  }
  return done;
}

absl::Status WriteTokenFiles(SvidStore &svids,
                             MemoryDirectory &directory,
                             const FilePlace &place,
                             WrittenFiles &written) {
  const auto bundle = svids.bundle();
  if (bundle == nullptr) {
    return absl::UnavailableError("the trust bundle is not there yet");
  }
  const auto &keys = bundle->authorities().front().jwt_keys;
  if (!std::ranges::all_of(written.jwt_keys, [&keys](const auto &key) {
        return std::ranges::find(keys, key) != keys.end();
      })) {
    written.tokens.clear();
  }
  written.jwt_keys = keys;
  const SystemTime now = std::chrono::system_clock::now();
  for (const TokenFile &file : written.identity->tokens) {
    SystemTime &issued = written.tokens[file.name];
    if (now >= issued && now < issued + kJwtSvidTtl / 2) {
      continue;
    }
    auto token = svids.IssueJwt(written.identity->spiffe_id, file.audience);
    if (!token.ok()) {
      return token.status();
    }
    if (auto done = directory.Write(place, {{file.name, BytesOf(*token)}});
        !done.ok()) {
      return done;
    }
    issued = now;
  }
  return absl::OkStatus();
}

}  // namespace kith
