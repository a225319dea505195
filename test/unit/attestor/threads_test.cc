// SPDX-License-Identifier: Apache-2.0
// A process whose main thread has ended while another one lives on.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "agent/attestor/proc_directory.h"
#include "agent/attestor/proc_text.h"
#include "test/unit/attestor/attest_fixture.h"
#include "test/unit/attestor/child_program.h"

namespace kith {
namespace {

void *WaitForEver(void * /*unused*/) {
  while (true) {
    pause();
  }
}

// Returns the pid of a child whose main thread ends and whose other one stays.
pid_t ForkHeadless() {
  const pid_t pid = fork();
  if (pid == 0) {
    pthread_t thread{};
    if (pthread_create(&thread, nullptr, &WaitForEver, nullptr) != 0) {
      _exit(1);
    }
    // Ends this thread only; pthread_exit would unwind the test runner.
    syscall(SYS_exit, 0);
  }
  return pid;
}

char StateOf(pid_t pid) {
  auto directory = ProcDirectory::Open("/proc", static_cast<uint32_t>(pid));
  REQUIRE(directory.ok());
  auto text = directory->Read("stat", 4096);
  REQUIRE(text.ok());
  return ParseStat(*text).value().state;
}

TEST_CASE_METHOD(AttestFixture, "the main thread may end before the process") {
  const pid_t pid = ForkHeadless();
  REQUIRE(pid > 0);
  // The kernel tells nobody but a tracer when a single thread ends.
  while (StateOf(pid) != 'Z') {
    sched_yield();
  }
  const ProcessFacts facts = FactsOf(pid);
  const ProcessImage image = ImageOf(getpid());
  auto process =
      attestor->Attest(facts, image, WorkloadAttestor::Expect::kSameImage);
  (void)kill(pid, SIGKILL);
  (void)waitpid(pid, nullptr, 0);

  REQUIRE(process.ok());
  CHECK((*process)->attestation.failures.empty());
  CHECK((*process)->name == "unit_attestor");
  CHECK_FALSE((*process)->cmdline.empty());
}

}  // namespace
}  // namespace kith
