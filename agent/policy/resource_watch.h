// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// ResourceWatch detects that the files below some paths may have changed
// (inotify(7)). It watches directories, never files, so that it notices a file
// replaced by rename. It also watches the directories above each path, because
// the path may appear later or be swapped with one of them, and the directory
// that a symbolic link leads to. Not thread-safe.
class ResourceWatch {
 public:
  static absl::StatusOr<ResourceWatch> Create(std::vector<std::string> paths);

  // fd is readable when events are there.
  int fd() const { return inotify_.get(); }

  // Sync adapts the watches to the present directories. Call it before reading
  // the files: a change after Sync leaves an event.
  absl::Status Sync();

  // Drain takes all events and returns whether one of them matters.
  bool Drain();

 private:
  // Interest is the set of names that matter in one directory.
  struct Interest {
    bool all = false;
    std::set<std::string> names;

    bool operator==(const Interest &) const = default;
  };
  using Targets = std::map<std::string, Interest>;

  ResourceWatch(FileDescriptor inotify, std::vector<std::string> paths)
      : inotify_(std::move(inotify)), paths_(std::move(paths)) {}

  Targets FindTargets() const;
  absl::Status Watch(const Targets &targets);
  bool Matters(int watch, uint32_t mask, std::string_view name) const;

  FileDescriptor inotify_;
  std::vector<std::string> paths_;
  // By watch descriptor; the directory's path is for lstat() only.
  struct Watched {
    std::string directory;
    Interest interest;
  };
  std::map<int, Watched> watched_;
};

}  // namespace kith
