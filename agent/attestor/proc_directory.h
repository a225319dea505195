// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"
#include "kith/process.h"

namespace kith {

// ReadTextFile returns the file's first `limit` bytes at most.
absl::StatusOr<std::string> ReadTextFile(const std::string &path, size_t limit);

// ExeFile is the file that a process executes.
struct ExeFile {
  FileDescriptor path;  // O_PATH: opening it runs no code of a file server
  uint64_t inode = 0;
  uint32_t device = 0;  // kernel encoding: major << 20 | minor
  uint64_t links = 0;
  uint64_t mount_id = 0;

  bool SameFile(const ExeFile &other) const {
    return inode == other.inode && device == other.device;
  }
};

// ProcDirectory is an open /proc/PID. The descriptor refers to one process:
// after its end, reads fail and never show another process of the same pid.
class ProcDirectory {
 public:
  // A host with many containers has some thousand mounts of 100 to 500 bytes.
  static constexpr size_t kMaxMountinfo = 4U << 20;

  // Open opens `proc`/`pid`. NotFound: no such process, or hidden.
  static absl::StatusOr<ProcDirectory> Open(const std::string &proc,
                                            uint32_t pid);

  // OpenLiveThread returns /proc/PID/task/TID of a thread that has not ended,
  // with the same files. NotFound: there is none.
  absl::StatusOr<ProcDirectory> OpenLiveThread() const;

  // Read returns the file's text; OutOfRange beyond `limit` bytes.
  absl::StatusOr<std::string> Read(const std::string &name, size_t limit) const;
  // ReadStart returns at most the first `limit` bytes.
  absl::StatusOr<std::string> ReadStart(const std::string &name,
                                        size_t limit) const;

  absl::StatusOr<std::string> ReadExeLink() const;

  // FindExe returns the executable. NotFound: a kernel thread or a zombie.
  absl::StatusOr<ExeFile> FindExe() const;

  // OpenExe opens the executable itself for reading, even if another file has
  // its path by now.
  absl::StatusOr<FileDescriptor> OpenExe() const;

  // IsImage compares with the image that a hook read in the kernel. Some file
  // systems (btrfs, overlayfs) report other numbers to stat(2) than their
  // inodes have.
  bool IsImage(const ExeFile &exe, const ProcessImage &image) const;

  // PathOf returns "/proc/42/name", for messages and sources.
  std::string PathOf(std::string_view name) const;

 private:
  ProcDirectory(FileDescriptor directory, std::string proc, std::string path);
  absl::Status Failed(int error,
                      std::string_view call,
                      std::string_view name) const;

  FileDescriptor directory_;
  std::string proc_;  // "/proc"
  std::string path_;  // "/proc/42"
};

}  // namespace kith
