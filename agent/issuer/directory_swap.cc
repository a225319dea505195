// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/directory_swap.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

absl::Status Errno(std::string_view call, std::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(call, " ", path));
}

absl::Status SyncParent(const fs::path &path) {
  const FileDescriptor parent(
      ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return parent.valid() && ::fsync(parent.get()) == 0
             ? absl::OkStatus()
             : Errno("fsync", path.parent_path().native());
}

}  // namespace

absl::StatusOr<std::string> SwapDirectory(
    const std::string &path,
    const std::function<absl::Status(const std::string &beside)> &fill,
    const std::string &suffix) {
  std::error_code ignored;
  fs::path place = fs::absolute(path).lexically_normal();
  if (!place.has_filename()) {  // it ends with a slash
    place = place.parent_path();
  }
  const std::string beside = absl::StrCat(place.native(), ".restore");
  fs::remove_all(beside, ignored);  // of one that was interrupted
  absl::Status status = fill(beside);
  if (status.ok() &&
      ::renameat2(
          AT_FDCWD, beside.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) !=
          0) {
    status = Errno("swapping", place.native());
  }
  if (!status.ok()) {
    fs::remove_all(beside, ignored);
    return status;
  }
  const std::string kept =
      suffix.empty() ? "" : absl::StrCat(place.native(), suffix);
  if (kept.empty()) {
    fs::remove_all(beside, ignored);
  } else if (::rename(beside.c_str(), kept.c_str()) != 0) {
    return Errno("rename", beside);
  }
  status = SyncParent(place);
  if (!status.ok()) {
    return status;
  }
  return kept;
}

}  // namespace kith
