// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_backup.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <openssl/evp.h>

#include "agent/identity/private_key.h"
#include "agent/identity/svid_request.h"
#include "agent/issuer/encrypted_key.h"
#include "kith/certificate_authority.h"
#include "test/unit/identity/fake_issuer.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

Secret Words(const std::string &text) {
  return Secret::CopyFrom(
             {reinterpret_cast<const uint8_t *>(text.data()), text.size()})
      .value();
}

std::string Contents(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Fixture : StoreFixture {
  fs::path place = directory.path() + "/state/ca";
  std::shared_ptr<Issuer> ca =
      CreateEmbeddedCa(place, "example.org", clock).value();
  Secret passphrase = Words("correct horse");

  std::string BackUp() {
    auto files = CaDirectory::Open(place).value();
    return BackUpCa(files, "example.org", passphrase, clock.Now()).value();
  }
  absl::StatusOr<std::string> Restore(
      const std::string &backup,
      bool replace = false,
      const std::string &words = "correct horse") {
    return RestoreCa(
        {place, "example.org", replace}, backup, Words(words), clock.Now());
  }
  std::vector<Der> Certificates() {
    return CreateEmbeddedCa(place, "example.org", clock)
        .value()
        ->FetchAuthorities()
        ->certificates;
  }
  size_t Neighbours() const {
    return static_cast<size_t>(std::distance(
        fs::directory_iterator(place.parent_path()), fs::directory_iterator()));
  }
};

TEST_CASE_METHOD(Fixture, "a CA comes back on an empty machine") {
  REQUIRE(ca->authority()->ChangeAuthority({}).ok());
  const std::vector<Der> before = Certificates();
  const std::string key = Contents(place / "ca.key");
  const std::string backup = BackUp();
  CHECK(backup.find("PRIVATE KEY") == std::string::npos);
  fs::remove_all(place);
  CHECK(Restore(backup).value().empty());
  CHECK(Certificates() == before);
  CHECK(Contents(place / "ca.key") == key);
  CHECK(fs::status(place).permissions() == fs::perms::owner_all);
  CHECK(fs::status(place / "ca.key").permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(Neighbours() == 1);
}

TEST_CASE_METHOD(Fixture, "a CA that is there is not replaced by mistake") {
  const std::string backup = BackUp();
  const std::string key = Contents(place / "ca.key");
  CHECK(absl::IsAlreadyExists(Restore(backup).status()));
  CHECK(Contents(place / "ca.key") == key);
  const std::string kept = Restore(backup, true).value();
  CHECK(Contents(fs::path(kept) / "ca.key") == key);
}

TEST_CASE_METHOD(Fixture, "what was revoked meanwhile stays revoked") {
  const std::string backup = BackUp();
  const auto svid = RequestSvid(Spec("a"), *ca, clock.Now())->svid;
  REQUIRE(ca->authority()->RevokeSvids({svid->serial(), {}}, {}).ok());
  REQUIRE(Restore(backup, true).ok());
  auto restored = CreateEmbeddedCa(place, "example.org", clock).value();
  auto bundle =
      TrustBundle::Create({restored->FetchAuthorities().value()}).value();
  CHECK(absl::IsFailedPrecondition(
      bundle->VerifyPeer(svid->chain(), clock.Now()).status()));
}

TEST_CASE_METHOD(Fixture, "what is no good backup changes nothing") {
  const std::string good = BackUp();
  const std::string key = Contents(place / "ca.key");
  std::vector<std::string> bad = {"", "a.b.c", good.substr(0, good.size() / 2)};
  for (size_t at = 10; at < good.size(); at += good.size() / 16) {
    std::string flipped = good;
    flipped[at] = flipped[at] == 'A' ? 'B' : 'A';
    bad.push_back(flipped);
  }
  for (const std::string &text : bad) {
    const absl::Status status = Restore(text, true).status();
    CHECK(absl::IsInvalidArgument(status));
  }
  const absl::Status wrong = Restore(good, true, "wrong").status();
  CHECK(wrong.message().find("passphrase") != std::string_view::npos);
  CHECK_FALSE(
      RestoreCa({place, "other.test", true}, good, passphrase, clock.Now())
          .ok());
  CHECK(Contents(place / "ca.key") == key);
  CHECK(Neighbours() == 1);
}

TEST_CASE("openssl's kind of encrypted key") {
  auto key = GeneratePrivateKey().value();
  const Secret words = Words("correct horse");
  const std::string text = EncryptKey(key.get(), words).value();
  CHECK(text != EncryptKey(key.get(), words).value());  // the salt
  CHECK(EVP_PKEY_cmp(DecryptKey(text, words)->get(), key.get()) == 1);
  CHECK_FALSE(DecryptKey(text, Words("wrong")).ok());
  CHECK_FALSE(DecryptKey("*", words).ok());
  CHECK_FALSE(DecryptKey("", words).ok());
}

}  // namespace
}  // namespace kith
