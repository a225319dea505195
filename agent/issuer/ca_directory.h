// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"
#include "kith/secret.h"

namespace kith {

// CaDirectory is the directory that the agents of one machine share. The object
// holds the directory's lock while it lives. Every error names the file.
class CaDirectory {
 public:
  static constexpr std::string_view kKeyFile = "ca.key";
  static constexpr std::string_view kCertificateFile = "ca.crt";
  // The files of the first authority.
  static constexpr std::string_view kFirstStem = "ca";
  static constexpr std::string_view kLockFile = "ca.lock";
  // A PEM key or certificate has about 1 KiB; a larger file is neither.
  static constexpr size_t kMaxFileBytes = size_t{64} << 10;

  // Open creates the directory (mode 0700) and its parents if they are missing,
  // and waits for the lock. PermissionDenied: another user owns the directory
  // or may write to it.
  static absl::StatusOr<CaDirectory> Open(const std::string &path);

  // Has returns whether the file exists, whatever its type.
  absl::StatusOr<bool> Has(std::string_view name) const;

  // List returns the names in the directory, unordered.
  absl::StatusOr<std::vector<std::string>> List() const;

  // Read returns a regular file of this process's user whose mode has no bit of
  // `forbidden_mode` (0077: others may not even read). It does not follow
  // symbolic links.
  absl::StatusOr<Secret> Read(std::string_view name,
                              mode_t forbidden_mode) const;

  // ReadText returns a file without secrets that no other user may write to;
  // empty if the file does not exist. DataLoss: it has more than `most` bytes.
  absl::StatusOr<std::string> ReadText(std::string_view name,
                                       size_t most) const;

  // Append adds `line` to the file (mode 0600) and returns the file's new size.
  // The line may not be on the disk yet when Append returns.
  absl::StatusOr<size_t> Append(std::string_view name,
                                std::string_view line) const;

  // Write replaces the file atomically (write to a temporary file, fsync,
  // rename, fsync of the directory).
  absl::Status Write(std::string_view name,
                     mode_t mode,
                     std::span<const uint8_t> bytes) const;

  // Remove unlinks the file permanently.
  absl::Status Remove(std::string_view name) const;

  std::string PathOf(std::string_view name) const;

 private:
  CaDirectory(std::string path, FileDescriptor directory, FileDescriptor lock)
      : path_(std::move(path)),
        directory_(std::move(directory)),
        lock_(std::move(lock)) {}

  struct OpenFile {
    FileDescriptor fd;
    size_t size = 0;
  };
  absl::StatusOr<OpenFile> OpenToRead(std::string_view name,
                                      mode_t forbidden_mode) const;

  std::string path_;
  FileDescriptor directory_;
  FileDescriptor lock_;  // flock(2), released by close
};

}  // namespace kith
