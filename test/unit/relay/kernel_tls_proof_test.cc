// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/kernel_tls_proof.h"

#include <fstream>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "test/unit/relay/relay_fixture.h"

namespace kith {
namespace {

// Loaded protocols; `tls` is loaded by the first socket that asks for it.
bool KernelHasTls() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_ulp");
  std::string name;
  while (file >> name) {
    if (name == "tls") {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("the proof finds what the kernel has") {
  const KernelTlsProof proof = ProveKernelTls();
  INFO(proof.Problem().message());
  CHECK(proof.CarriesAny() == KernelHasTls());
  CHECK((KernelHasTls() || !KernelPathIsTested()));
  CHECK(proof.Carries(0x1301) == proof.CarriesAny());
  CHECK_FALSE(proof.Carries(0x1304));
  if (!proof.CarriesAny()) {
    CHECK(!proof.Problem().ok());
    CHECK(!proof.rekey.ok());
  }
}

}  // namespace kith
