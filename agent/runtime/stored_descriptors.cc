// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/stored_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace kith {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
// More than RLIMIT_NOFILE of any machine: nonsense.
constexpr int kMost = 1 << 20;

std::string TakeVariable(const char *name) {
  const char *value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  (void)unsetenv(name);
  return taken;
}

}  // namespace

std::vector<NamedDescriptor> TakeListenDescriptors() {
  const std::string pid = TakeVariable("LISTEN_PID");
  const std::string number = TakeVariable("LISTEN_FDS");
  const std::string text = TakeVariable("LISTEN_FDNAMES");
  std::vector<NamedDescriptor> taken;
  int count = 0;
  if (pid != std::to_string(getpid()) || !absl::SimpleAtoi(number, &count) ||
      count <= 0 || count > kMost) {
    return taken;
  }
  const std::vector<std::string> names = absl::StrSplit(text, ':');
  for (int i = 0; i < count; ++i) {
    const int fd = kFirst + i;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
      const auto index = static_cast<size_t>(i);
      taken.push_back(
          {index < names.size() ? names[index] : "", FileDescriptor(fd)});
    }
  }
  return taken;
}

}  // namespace kith
