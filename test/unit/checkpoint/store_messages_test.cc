// SPDX-License-Identifier: Apache-2.0
// What the service manager is told, and what becomes of it when it is slow.
#include "agent/checkpoint/store_messages.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>

#include "test/unit/checkpoint/service_manager.h"

namespace kith {
namespace {

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator each("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(each), end(each)));
}

TEST_CASE("the manager is told in order") {
  ServiceManager manager;
  const FileDescriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  StoreMessages messages{FileDescriptor()};
  messages.Keep("one", {file.get()});
  CHECK(manager.Read().text.find("FDNAME=one") != std::string::npos);
  messages.Drop("one");
  const std::string dropped = manager.Read().text;
  CHECK(dropped.find("FDSTOREREMOVE=1") != std::string::npos);
  CHECK(dropped.find("FDNAME=one") != std::string::npos);
}

TEST_CASE("flows that come and go leave nothing to a manager that is slow") {
  ServiceManager manager;
  const FileDescriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  StoreMessages messages{FileDescriptor()};
  const size_t before = OpenDescriptors();
  // More than the socket takes (net.unix.max_dgram_qlen) while nobody reads.
  for (int flow = 0; flow < 2000; ++flow) {
    messages.Keep(absl::StrCat("flow-", flow), {file.get(), file.get()});
    messages.Drop(absl::StrCat("flow-", flow));
  }
  CHECK(OpenDescriptors() <= before + 4);  // one message is on its way
  messages.Keep("last", {file.get()});
  while (manager.Read().text.find("FDNAME=last") == std::string::npos) {
  }
}

}  // namespace
}  // namespace kith
