// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// CaDirectoryWatch detects that another agent of the machine, or an operator,
// changed the directory of an embedded CA: its lists, or the whole directory,
// were replaced (inotify(7)). It has a thread of its own.
class CaDirectoryWatch {
 public:
  // Create watches an existing directory. `on_change` is called on the thread
  // of the watch, also for changes of this process.
  static absl::StatusOr<std::unique_ptr<CaDirectoryWatch>> Create(
      const std::string &directory, std::function<void()> on_change);
  ~CaDirectoryWatch();

  // Stop ends the thread. Not from `on_change`.
  void Stop();

 private:
  CaDirectoryWatch(const std::string &directory,
                   std::function<void()> on_change);

  absl::Status Start();
  absl::Status WatchDirectory();
  // Drain takes all events and returns whether one of them matters.
  bool Drain();
  bool Matters(int watch, std::string_view name) const;
  void Follow();

  const std::string path_;
  const std::string parent_;
  const std::string base_;
  const std::function<void()> on_change_;
  FileDescriptor inotify_;
  FileDescriptor stop_;
  int inside_ = -1;   // watch of the directory
  int outside_ = -1;  // watch of its parent
  std::thread thread_;
};

}  // namespace kith
