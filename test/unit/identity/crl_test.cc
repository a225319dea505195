// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/crl.h"

#include <chrono>

#include <catch2/catch_test_macros.hpp>

#include "agent/identity/certificate_pem.h"
#include "agent/identity/revocations.h"
#include "test/fakes/svid_forge.h"

namespace kith {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Clock::TimePoint kNow{seconds(1'800'000'000)};

struct Fixture {
  SvidForge forge = SvidForge::InMemory("example.org", kNow).value();
  SvidForge other = SvidForge::InMemory("example.org", kNow).value();
  CrlContents contents{{{"01", kNow}, {"ff00", kNow + seconds(1)}},
                       {kNow, kNow + hours(24)}};

  Der Build(const SvidForge &by) const {
    return BuildCrl(contents,
                    {.certificate = by.ca().certificate.get(),
                     .key = by.ca().key.get()})
        .value();
  }
  std::string Id() const { return KeyIdTextOf(forge.ca().certificate.get()); }
};

TEST_CASE_METHOD(Fixture, "a CRL says what was put into it") {
  const CrlContents read =
      ReadCrl(Build(forge), forge.ca().certificate.get()).value();
  CHECK(read.revoked == contents.revoked);
  CHECK(read.validity.not_before == kNow);
  CHECK(read.validity.not_after == kNow + hours(24));
  CHECK(ParseCrlPem(CrlsPem({Build(forge)})).ok());
}

TEST_CASE_METHOD(Fixture, "an empty CRL is one") {
  contents.revoked.clear();
  CHECK(ReadCrl(Build(forge), forge.ca().certificate.get())->revoked.empty());
}

TEST_CASE_METHOD(Fixture, "a CRL of another authority, or none at all") {
  CHECK(absl::IsNotFound(
      ReadCrl(Build(other), forge.ca().certificate.get()).status()));
  Der damaged = Build(forge);
  damaged.back() ^= 1;
  CHECK_FALSE(ReadCrl(damaged, forge.ca().certificate.get()).ok());
  damaged.resize(damaged.size() / 2);
  CHECK(absl::IsInvalidArgument(
      ReadCrl(damaged, forge.ca().certificate.get()).status()));
  CHECK_FALSE(ParseCrlPem("-----BEGIN X509 CRL-----\n").ok());
}

TEST_CASE_METHOD(Fixture, "a domain with CRLs tells whom it revokes") {
  Authorities domain = forge.authorities();
  domain.crls = {Build(forge)};
  const Revocations revocations = Revocations::Create(domain).value();
  CHECK(revocations.Check(Id(), "02").ok());
  CHECK(absl::IsFailedPrecondition(revocations.Check(Id(), "ff00")));
  // Whose it is was not recorded.
  CHECK_FALSE(revocations.Check("", "ff00").ok());
  CHECK(revocations.Check("", "02").ok());
  CHECK_FALSE(revocations.Check("abcd", "02").ok());
}

TEST_CASE_METHOD(Fixture, "a domain without CRLs does not") {
  const Revocations revocations =
      Revocations::Create(forge.authorities()).value();
  CHECK(revocations.Check("abcd", "01").ok());
}

TEST_CASE_METHOD(Fixture, "nobody is authenticated by a tainted authority") {
  Authorities domain = forge.authorities();
  domain.tainted = {Id()};
  const absl::Status status = Revocations::Create(domain)->Check(Id(), "02");
  CHECK(status.message().find("tainted") != std::string_view::npos);
}

TEST_CASE_METHOD(Fixture, "a CRL that no authority signed is refused") {
  Authorities domain = forge.authorities();
  domain.crls = {Build(other)};
  CHECK(absl::IsInvalidArgument(Revocations::Create(domain).status()));
}

}  // namespace
}  // namespace kith
