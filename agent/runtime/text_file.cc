// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

absl::StatusOr<std::string> ReadTextFile(const std::string &path) {
  const FileDescriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("fstat ", path));
  }
  if (!S_ISREG(status.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a regular file"));
  }
  std::string text(kMaxTextFile + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got =
        ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno != EINTR) {
      return absl::ErrnoToStatus(errno, absl::StrCat("read ", path));
    }
    if (got == 0) {
      break;
    }
    size += got > 0 ? static_cast<size_t>(got) : 0;
  }
  if (size > kMaxTextFile) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is larger than ", kMaxTextFile, " bytes"));
  }
  text.resize(size);
  return text;
}

}  // namespace kith
