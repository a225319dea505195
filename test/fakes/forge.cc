// SPDX-License-Identifier: Apache-2.0
// forge writes an SVID, valid or deliberately bad, as PEM files for a foreign
// TLS program: the certificate chain and the private key.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include <CLI/CLI.hpp>

#include "agent/identity/certificate.h"
#include "agent/identity/private_key.h"
#include "agent/runtime/file_descriptor.h"
#include "test/fakes/svid_forge.h"

namespace kith {
namespace {

struct Wishes {
  std::string ca;
  std::string id;
  ForgeryKind kind = ForgeryKind::kValid;
  std::string out_cert;
  std::string out_key;
};

absl::Status WriteFile(const std::string &path,
                       mode_t mode,
                       std::span<const uint8_t> bytes) {
  FileDescriptor fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd.valid() || ::write(fd.get(), bytes.data(), bytes.size()) !=
                         static_cast<ssize_t>(bytes.size())) {
    return absl::ErrnoToStatus(errno, absl::StrCat("writing ", path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PemOf(const std::vector<Der> &chain) {
  std::string pem;
  for (const Der &der : chain) {
    absl::StatusOr<bssl::UniquePtr<X509>> certificate = ParseCertificate(der);
    if (!certificate.ok()) {
      return certificate.status();
    }
    absl::StatusOr<std::string> one = EncodeCertificatePem(certificate->get());
    if (!one.ok()) {
      return one.status();
    }
    pem += *one;
  }
  return pem;
}

absl::Status Forge(const Wishes &wishes) {
  absl::StatusOr<SpiffeId> id = SpiffeId::Parse(wishes.id);
  if (!id.ok()) {
    return id.status();
  }
  absl::StatusOr<SvidForge> forge =
      SvidForge::FromDirectory(wishes.ca, std::string(id->trust_domain()));
  if (!forge.ok()) {
    return forge.status();
  }
  absl::StatusOr<ForgedSvid> forged =
      forge->Make(wishes.kind, *id, SystemClock().Now());
  if (!forged.ok()) {
    return forged.status();
  }
  absl::StatusOr<std::string> chain = PemOf(forged->chain);
  absl::StatusOr<Secret> key = EncodePrivateKey(forged->key.get());
  if (!chain.ok() || !key.ok()) {
    return chain.ok() ? key.status() : chain.status();
  }
  if (absl::Status status =
          WriteFile(wishes.out_key, 0600, std::as_const(*key).bytes());
      !status.ok()) {
    return status;
  }
  return WriteFile(
      wishes.out_cert,
      0644,
      {reinterpret_cast<const uint8_t *>(chain->data()), chain->size()});
}

std::map<std::string, ForgeryKind> KindsByName() {
  std::map<std::string, ForgeryKind> kinds;
  for (ForgeryKind kind : AllForgeries()) {
    kinds.emplace(ForgeryName(kind), kind);
  }
  return kinds;
}

}  // namespace
}  // namespace kith

int main(int argc, char **argv) {
  kith::Wishes wishes;
  CLI::App app("write an SVID, valid or deliberately bad, as PEM files");
  app.add_option("--ca", wishes.ca, "directory of an embedded CA")->required();
  app.add_option("--id", wishes.id, "spiffe://...")->required();
  app.add_option("--kind", wishes.kind, "what is wrong with it")
      ->transform(CLI::CheckedTransformer(kith::KindsByName()));
  app.add_option("--out-cert", wishes.out_cert, "chain, PEM")->required();
  app.add_option("--out-key", wishes.out_key, "key, PKCS#8 PEM")->required();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = kith::Forge(wishes);
  if (!status.ok()) {
    std::fprintf(stderr, "forge: %s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
