// SPDX-License-Identifier: Apache-2.0
#include "agent/federation/bundle_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

absl::Status WriteBundleFile(const std::string &path, std::string_view text) {
  const std::string directory = std::filesystem::path(path).parent_path();
  const std::string scratch = absl::StrCat(path, ".new");
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("mkdir ", directory));
  }
  const FileDescriptor file(
      open(scratch.c_str(),
           O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
           0600));
  // A short write to a regular file is a full disk.
  if (!file.valid() ||
      write(file.get(), text.data(), text.size()) !=
          static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0 || rename(scratch.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace kith
