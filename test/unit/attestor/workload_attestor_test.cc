// SPDX-License-Identifier: Apache-2.0
// Real processes under the real /proc.
#include "agent/attestor/workload_attestor.h"

#include <latch>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "test/unit/attestor/attest_fixture.h"
#include "test/unit/attestor/child_program.h"

namespace kith {
namespace {

using Expect = WorkloadAttestor::Expect;

TEST_CASE_METHOD(AttestFixture, "a program that runs") {
  ChildProgram cat("/bin/cat", {"cat", "-u", "-"});
  cat.Exec();
  auto process = attestor->Attest(cat.facts(), cat.image(), Expect::kSameImage);
  REQUIRE(process.ok());
  CHECK((*process)->attestation.failures.empty());
  CHECK((*process)->name == "cat");
  CHECK((*process)->cmdline == "cat -u -");
  CHECK(Has(**process, "process:name", "cat"));
  CHECK(Has(**process, "process:cmdline", "cat -u -"));
  CHECK(Has(**process, "process:binary:path", (*process)->exe));
  CHECK(Has(**process, "process:uid", std::to_string(cat.facts().uid)));
  CHECK(Has(**process, "process:uid:real", std::to_string(cat.facts().uid)));
  CHECK(Has(**process, "cgroup:path", (*process)->cgroup));
}

TEST_CASE_METHOD(AttestFixture, "a cached process costs no read of /proc") {
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  const ProcessFacts facts = cat.facts();
  const ProcessImage image = cat.image();
  CHECK(attestor->Cached(facts, Expect::kSameImage) == nullptr);
  auto process = attestor->Attest(facts, image, Expect::kSameImage);
  REQUIRE(process.ok());
  CHECK(attestor->cached_count() == 1);
  // Without a process there is nothing to read.
  cat.Reap();
  CHECK(attestor->Cached(facts, Expect::kSameImage) == *process);
  CHECK(*attestor->Attest(facts, image, Expect::kSameImage) == *process);

  attestor->Forget(facts.tgid + 16);
  CHECK(attestor->cached_count() == 1);
  attestor->Forget(facts.tgid);
  CHECK(attestor->Cached(facts, Expect::kSameImage) == nullptr);
  CHECK(absl::IsNotFound(
      attestor->Attest(facts, image, Expect::kSameImage).status()));
}

TEST_CASE_METHOD(AttestFixture, "facts that differ have results of their own") {
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  const ProcessFacts facts = cat.facts();
  REQUIRE(attestor->Attest(facts, cat.image(), Expect::kSameImage).ok());
  CHECK(attestor->Cached(facts, Expect::kSameProcess) == nullptr);
  for (auto field : {&ProcessFacts::start_time_ns,
                     &ProcessFacts::exec_id,
                     &ProcessFacts::cgroup_id}) {
    ProcessFacts other = facts;
    other.*field += 1;
    CHECK(attestor->Cached(other, Expect::kSameImage) == nullptr);
  }
  for (auto field :
       {&ProcessFacts::tgid, &ProcessFacts::uid, &ProcessFacts::gid}) {
    ProcessFacts other = facts;
    other.*field += 1;
    CHECK(attestor->Cached(other, Expect::kSameImage) == nullptr);
  }
  attestor->ForgetAll();
  CHECK(attestor->cached_count() == 0);
}

TEST_CASE_METHOD(AttestFixture, "a recycled pid is not the old process") {
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  ProcessFacts old = cat.facts();
  old.start_time_ns -= 20'000'000;
  for (Expect expect : {Expect::kSameImage, Expect::kSameProcess}) {
    CHECK(absl::IsAborted(attestor->Attest(old, cat.image(), expect).status()));
  }
  CHECK(attestor->cached_count() == 0);
}

TEST_CASE_METHOD(AttestFixture, "an exec of another binary after the hook") {
  ChildProgram cat("/bin/cat", {"cat"});
  const ProcessFacts facts = cat.facts();
  const ProcessImage image = cat.image();
  cat.Exec();
  CHECK(absl::IsAborted(
      attestor->Attest(facts, image, Expect::kSameImage).status()));
  // The owner of a listener may do that.
  newest_exec_id = 2;
  auto owner = attestor->Attest(facts, image, Expect::kSameProcess);
  REQUIRE(owner.ok());
  CHECK((*owner)->name == "cat");
  CHECK((*owner)->facts.exec_id == 2);
}

TEST_CASE_METHOD(AttestFixture, "an exec of the same binary after the hook") {
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  newest_exec_id = 2;
  CHECK(absl::IsAborted(
      attestor->Attest(cat.facts(), cat.image(), Expect::kSameImage).status()));
  CHECK(attestor->cached_count() == 0);
}

TEST_CASE_METHOD(AttestFixture, "an exec while the process is being read") {
  wants_hash = true;
  for (Expect expect : {Expect::kSameImage, Expect::kSameProcess}) {
    ChildProgram cat("/bin/cat", {"cat"});
    const ProcessFacts facts = cat.facts();
    attestor->ForgetAll();
    hashed = 0;
    AttestFixture fresh;  // whose hash cache is empty
    fresh.wants_hash = true;
    fresh.while_hashing = [&] { cat.Exec(); };
    CHECK(absl::IsAborted(
        fresh.attestor->Attest(facts, cat.image(), expect).status()));
    CHECK(fresh.hashed == 1);
  }
}

TEST_CASE_METHOD(AttestFixture, "an exec of the same binary while it is read") {
  wants_hash = true;
  for (Expect expect : {Expect::kSameImage, Expect::kSameProcess}) {
    ChildProgram cat("/bin/cat", {"cat"});
    cat.Exec();
    AttestFixture fresh;
    fresh.wants_hash = true;
    fresh.while_hashing = [&] { fresh.newest_exec_id = 2; };
    CHECK(absl::IsAborted(
        fresh.attestor->Attest(cat.facts(), cat.image(), expect).status()));
  }
}

TEST_CASE_METHOD(AttestFixture, "a process that ends before, or meanwhile") {
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  const ProcessFacts facts = cat.facts();
  const ProcessImage image = cat.image();
  wants_hash = true;
  while_hashing = [&] { cat.Kill(); };
  CHECK(absl::IsNotFound(
      attestor->Attest(facts, image, Expect::kSameImage).status()));
  CHECK(hashed == 1);
  // A zombie now.
  CHECK(absl::IsNotFound(
      attestor->Attest(facts, image, Expect::kSameImage).status()));
  cat.Reap();
  CHECK(absl::IsNotFound(
      attestor->Attest(facts, image, Expect::kSameImage).status()));
  CHECK(attestor->cached_count() == 0);
}

TEST_CASE_METHOD(AttestFixture, "Forget while the process is being read") {
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  wants_hash = true;
  while_hashing = [&] { attestor->Forget(cat.facts().tgid); };
  CHECK(attestor->Attest(cat.facts(), cat.image(), Expect::kSameImage).ok());
  CHECK(attestor->cached_count() == 0);
}

TEST_CASE_METHOD(AttestFixture, "an exec voids what a listener's owner was") {
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  const ProcessFacts facts = cat.facts();
  REQUIRE(attestor->Attest(facts, cat.image(), Expect::kSameProcess).ok());
  newest_exec_id = 2;
  CHECK(attestor->Cached(facts, Expect::kSameProcess) == nullptr);
}

TEST_CASE_METHOD(AttestFixture, "threads that ask at once share one reading") {
  constexpr int kThreads = 8;
  ChildProgram cat("/bin/cat", {"cat"});
  cat.Exec();
  const ProcessFacts facts = cat.facts();
  const ProcessImage image = cat.image();
  wants_hash = true;
  std::latch ready(kThreads);
  std::vector<Result> results(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ready.arrive_and_wait();
      results[i] = attestor->Attest(facts, image, Expect::kSameImage);
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  for (const Result &result : results) {
    REQUIRE(result.ok());
    CHECK(*result == *results[0]);
  }
  CHECK(hashed == 1);
}

}  // namespace
}  // namespace kith
