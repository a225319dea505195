// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// FilePlace is a directory for files of one user: <root>/<user>/<name>.
struct FilePlace {
  uid_t user = 0;
  std::string name;

  auto operator<=>(const FilePlace &) const = default;
};

// NewFile is a file's new content. The caller owns the bytes, so that keys can
// stay in a Secret.
struct NewFile {
  std::string_view name;
  std::span<const uint8_t> bytes;
};

// MemoryDirectory holds files with keys on tmpfs or ramfs, in a directory that
// only root can change, as well as its parents. Not thread-safe.
class MemoryDirectory {
 public:
  // Open creates the last component of the absolute path if it is missing, and
  // removes what a former agent left there. FailedPrecondition names the path
  // or component at fault: a symbolic link, another owner, no memory file
  // system, another agent's directory, or files that are not an agent's.
  static absl::StatusOr<MemoryDirectory> Open(const std::string &path);

  // Write replaces the files of a place: each is complete at every moment, and
  // only that user can read it (0400). All new files are written before the
  // first is replaced. Other files of the place stay.
  absl::Status Write(const FilePlace &place, const std::vector<NewFile> &files);

  // Remove removes the place with all of its files. OK if it does not exist.
  absl::Status Remove(const FilePlace &place);

  // Clear removes all places.
  absl::Status Clear();

  std::string PathOf(const FilePlace &place) const;

 private:
  MemoryDirectory(std::string path, FileDescriptor root)
      : path_(std::move(path)), root_(std::move(root)) {}
  absl::Status TakePossession();

  std::string path_;
  FileDescriptor root_;
  FileDescriptor marker_;  // locked: one agent at a time
};

}  // namespace kith
