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

// NewFile is what a file shall have. The bytes stay the caller's, so that keys
// can stay in a Secret.
struct NewFile {
  std::string_view name;
  std::span<const uint8_t> bytes;
};

// MemoryDirectory holds files with keys: on tmpfs or ramfs, where nobody but
// root can change anything, also not on the way to it. Not thread-safe.
class MemoryDirectory {
 public:
  // Open makes the last component of the absolute path if it is not there, and
  // removes what a former agent left in it. FailedPrecondition names the path
  // or the component at fault: a symbolic link, somebody else's, no memory file
  // system, another agent's, or one with files that are not of an agent.
  static absl::StatusOr<MemoryDirectory> Open(const std::string &path);

  // Write replaces the files of a place: each is whole at every moment, and can
  // be read by that user alone (0400). All new ones are there before the first
  // is replaced. Other files of the place stay.
  absl::Status Write(const FilePlace &place, const std::vector<NewFile> &files);

  // Remove removes the place with all of its files. OK if there is none.
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
