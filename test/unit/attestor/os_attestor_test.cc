// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/os_attestor.h"

#include <sys/utsname.h>

#include <map>

#include <catch2/catch_test_macros.hpp>

#include "test/unit/attestor/fake_proc.h"

namespace kith {
namespace {

TEST_CASE("the operating system of os-release") {
  TempDirectory directory;
  const std::string path = directory.Write(
      "os-release",
      "# comment\nPRETTY_NAME=\"A \\\"B\\\" 1\"\nNAME='A B'\nID=ab\n"
      "VERSION_ID=\"1\"\nVERSION=\n");
  std::vector<Selector> selectors;
  auto attestor = CreateOsAttestor({directory.path() + "/missing", path});
  REQUIRE(attestor->Attest(ProcessView(), selectors).ok());

  std::multimap<std::string, std::string> values;
  for (const Selector &selector : selectors) {
    values.emplace(selector.key, selector.value);
  }
  utsname kernel{};
  REQUIRE(uname(&kernel) == 0);
  CHECK(values == std::multimap<std::string, std::string>{
                      {"linuxos:name", "ab"},
                      {"linuxos:name", "A B"},
                      {"linuxos:version", "1"},
                      {"linuxos:version", "A \"B\" 1"},
                      {"linuxos:kernel:release", kernel.release},
                      {"linuxos:kernel:version", kernel.version}});
  CHECK(selectors.front().source == path);
}

TEST_CASE("a host without os-release") {
  std::vector<Selector> selectors;
  auto attestor = CreateOsAttestor({"/nonexistent/os-release"});
  CHECK(absl::IsNotFound(attestor->Attest(ProcessView(), selectors)));
  CHECK(selectors.empty());
}

}  // namespace
}  // namespace kith
