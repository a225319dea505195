// SPDX-License-Identifier: Apache-2.0
// What a process or a strange host may put into /proc.
#include <catch2/catch_test_macros.hpp>

#include "test/unit/attestor/attest_fixture.h"
#include "test/unit/attestor/fake_proc.h"

namespace kith {
namespace {

struct Fixture {
  FakeProc proc;
  AttestFixture attest{proc.path()};

  AttestFixture::Result Attest() {
    return attest.attestor->Attest(
        proc.facts(), proc.image(), WorkloadAttestor::Expect::kSameImage);
  }
};

TEST_CASE_METHOD(Fixture, "an ordinary process has every kind of selector") {
  auto process = Attest();
  REQUIRE(process.ok());
  CHECK((*process)->attestation.failures.empty());
  CHECK((*process)->name == "cat");
  CHECK((*process)->cmdline == "cat -");
  CHECK((*process)->exe == "/bin/cat");
  CHECK((*process)->cgroup == "/system.slice/cat.service");
  for (const auto &[key, value] :
       std::vector<std::pair<std::string, std::string>>{
           {"process:name", "cat"},
           {"process:cmdline", "cat -"},
           {"process:binary:path", "/bin/cat"},
           {"process:uid", "1000"},
           {"process:gid", "1001"},
           {"process:uid:real", "1000"},
           {"process:gid:additional", "4"},
           {"cgroup:path", "/system.slice/cat.service"},
           {"systemd:id", "cat.service"}}) {
    CAPTURE(key);
    CHECK(AttestFixture::Has(**process, key, value));
  }
  CHECK_FALSE(AttestFixture::ValuesOf(**process, "linuxos:name").empty());
  CHECK(AttestFixture::ValuesOf(**process, "process:binary:hash").empty());
}

TEST_CASE_METHOD(Fixture, "names that imitate other lines stay names") {
  proc.Set("comm", "x\nUid:\t0\n");
  proc.Set("cmdline", std::string("a\0\n0::/evil\0", 12));
  proc.SetExe("/bin/../bin/cat");
  auto process = Attest();
  REQUIRE(process.ok());
  CHECK(AttestFixture::Has(**process, "process:name", "x\nUid:\t0"));
  CHECK(AttestFixture::Has(**process, "process:cmdline", "a \n0::/evil"));
  CHECK(AttestFixture::Has(**process, "process:uid", "1000"));
  CHECK(AttestFixture::Has(
      **process, "cgroup:path", "/system.slice/cat.service"));
}

TEST_CASE_METHOD(Fixture, "a long command line is cut to 4 KiB") {
  proc.Set("cmdline", std::string(100'000, 'x'));
  auto process = Attest();
  REQUIRE(process.ok());
  CHECK((*process)->cmdline == std::string(4096, 'x'));
}

TEST_CASE_METHOD(Fixture, "a recycled pid gets nothing of the old process") {
  ProcessFacts old = proc.facts();
  old.start_time_ns -= 1'000'000'000;
  auto process = attest.attestor->Attest(
      old, proc.image(), WorkloadAttestor::Expect::kSameImage);
  CHECK(absl::IsAborted(process.status()));
  process = attest.attestor->Attest(
      old, proc.image(), WorkloadAttestor::Expect::kSameProcess);
  CHECK(absl::IsAborted(process.status()));
  REQUIRE(Attest().ok());
  CHECK(attest.attestor->Cached(old, WorkloadAttestor::Expect::kSameImage) ==
        nullptr);
}

TEST_CASE("the agent may live in a time namespace of its own") {
  FakeProc proc;
  proc.Set("../self/timens_offsets",
           "monotonic           7         0\n"
           "boottime          100         0\n");
  AttestFixture attest(proc.path());
  CHECK(absl::IsAborted(attest.attestor
                            ->Attest(proc.facts(),
                                     proc.image(),
                                     WorkloadAttestor::Expect::kSameImage)
                            .status()));
  ProcessFacts facts = proc.facts();
  facts.start_time_ns -= 100'000'000'000;
  CHECK(attest.attestor
            ->Attest(facts, proc.image(), WorkloadAttestor::Expect::kSameImage)
            .ok());
}

TEST_CASE_METHOD(Fixture, "a process that /proc hides is not called gone") {
  proc.RemoveAll();
  auto process = Attest();
  CHECK(absl::IsPermissionDenied(process.status()));
  CHECK(process.status().message().find("hidepid") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a stat that cannot be read is an error") {
  proc.Set("stat", "nonsense");
  CHECK(absl::IsDataLoss(Attest().status()));
  proc.Remove("stat");
  CHECK(absl::IsNotFound(Attest().status()));
}

TEST_CASE_METHOD(Fixture, "what cannot be read yields failures, not values") {
  proc.Set("status", "Uid:\t0\nGid:\t0\n");
  proc.Set("cgroup", "4:memory:/x\n");
  proc.Set("cmdline", "");
  auto process = Attest();
  REQUIRE(process.ok());
  const AttestedProcess &p = **process;
  CHECK(absl::IsDataLoss(AttestFixture::FailureOf(p, "process:uid:real")));
  CHECK(
      absl::IsDataLoss(AttestFixture::FailureOf(p, "process:gid:additional")));
  CHECK(absl::IsNotFound(AttestFixture::FailureOf(p, "cgroup:path")));
  CHECK(absl::IsNotFound(AttestFixture::FailureOf(p, "systemd:id")));
  CHECK(absl::IsNotFound(AttestFixture::FailureOf(p, "process:cmdline")));
  for (const char *key : {"process:uid:real",
                          "process:gid:additional",
                          "cgroup:path",
                          "systemd:id",
                          "process:cmdline"}) {
    CHECK(AttestFixture::ValuesOf(p, key).empty());
  }
  CHECK(AttestFixture::Has(p, "process:uid", "1000"));
  CHECK(AttestFixture::Has(p, "process:name", "cat"));
}

TEST_CASE_METHOD(Fixture, "a kernel thread has a name and no executable") {
  proc.Set("comm", "kworker/0:1\n");
  proc.Set("cmdline", "");
  proc.Remove("exe");
  auto process = Attest();
  REQUIRE(process.ok());
  CHECK((*process)->name == "kworker/0:1");
  CHECK((*process)->exe.empty());
  CHECK(absl::IsNotFound(
      AttestFixture::FailureOf(**process, "process:binary:path")));
}

TEST_CASE_METHOD(Fixture, "a user that changed since the hook is not guessed") {
  ProcessFacts facts = proc.facts();
  facts.uid = 0;
  auto process = attest.attestor->Attest(
      facts, proc.image(), WorkloadAttestor::Expect::kSameImage);
  REQUIRE(process.ok());
  CHECK(AttestFixture::ValuesOf(**process, "process:uid") ==
        std::vector<std::string>{"0"});
  CHECK(AttestFixture::ValuesOf(**process, "process:uid:real").empty());
  CHECK(
      absl::IsAborted(AttestFixture::FailureOf(**process, "process:uid:real")));
}

TEST_CASE_METHOD(Fixture,
                 "a cgroup that changed since the hook is not guessed") {
  const ProcessFacts before = proc.facts();
  proc.SetCgroup("/system.slice/other.service");
  auto process = attest.attestor->Attest(
      before, proc.image(), WorkloadAttestor::Expect::kSameImage);
  REQUIRE(process.ok());
  CHECK(AttestFixture::ValuesOf(**process, "cgroup:path").empty());
  CHECK(absl::IsAborted(AttestFixture::FailureOf(**process, "systemd:id")));
}

TEST_CASE_METHOD(Fixture, "the owner of a listener is attested as it is now") {
  ProcessFacts listened = proc.facts();
  listened.uid = 0;
  listened.gid = 0;
  listened.cgroup_id = 1;
  attest.newest_exec_id = 9;
  auto process = attest.attestor->Attest(
      listened, {}, WorkloadAttestor::Expect::kSameProcess);
  REQUIRE(process.ok());
  CHECK((*process)->attestation.failures.empty());
  CHECK((*process)->facts.uid == 1000);
  CHECK((*process)->facts.gid == 1001);
  CHECK((*process)->facts.exec_id == 9);
  CHECK((*process)->facts.cgroup_id == proc.facts().cgroup_id);
  CHECK(AttestFixture::ValuesOf(**process, "process:uid") ==
        std::vector<std::string>{"1000"});
  CHECK(AttestFixture::Has(**process, "systemd:id", "cat.service"));
}

TEST_CASE_METHOD(Fixture,
                 "a listener's owner whose user is unknown is refused") {
  proc.Set("status", "");
  auto process = attest.attestor->Attest(
      proc.facts(), {}, WorkloadAttestor::Expect::kSameProcess);
  CHECK(absl::IsDataLoss(process.status()));
}

TEST_CASE("without cgroup v2 in sight there are no cgroup selectors") {
  FakeProc proc;
  proc.Set("../self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n");
  AttestFixture attest(proc.path());
  auto process = attest.attestor->Attest(
      proc.facts(), proc.image(), WorkloadAttestor::Expect::kSameImage);
  REQUIRE(process.ok());
  CHECK(absl::IsFailedPrecondition(
      AttestFixture::FailureOf(**process, "cgroup:path")));
}

}  // namespace
}  // namespace kith
