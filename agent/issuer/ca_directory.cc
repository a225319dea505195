// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace kith {
namespace {

absl::Status Errno(std::string_view call, std::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(call, " ", path));
}

absl::Status MakeDirectory(const std::string &path) {
  std::error_code error;
  const std::filesystem::path parent =
      std::filesystem::absolute(path, error).parent_path();
  std::filesystem::create_directories(parent, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat(
        "creating directory ", parent.string(), ": ", error.message()));
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Errno("mkdir", path);
  }
  return absl::OkStatus();
}

absl::Status CheckOwner(const struct stat &file,
                        mode_t forbidden,
                        std::string_view path) {
  if (file.st_uid != ::geteuid()) {
    return absl::PermissionDeniedError(absl::StrCat(path,
                                                    " is owned by uid ",
                                                    file.st_uid,
                                                    ", not by uid ",
                                                    ::geteuid(),
                                                    " that the agent runs as"));
  }
  if (const mode_t mode = file.st_mode & 07777; (mode & forbidden) != 0) {
    return absl::PermissionDeniedError(
        absl::StrFormat("%s has mode %04o, which lets others at it: chmod it "
                        "to %04o",
                        path,
                        mode,
                        mode & ~forbidden));
  }
  return absl::OkStatus();
}

absl::Status WriteAll(int fd,
                      std::span<const uint8_t> bytes,
                      std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return Errno("write", path);
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status ReadAll(int fd, std::span<uint8_t> bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t n = ::read(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return Errno("read", path);
    }
    if (n == 0) {
      return absl::DataLossError(
          absl::StrCat(path, " shrank while it was read"));
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace

std::string CaDirectory::PathOf(std::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<CaDirectory> CaDirectory::Open(const std::string &path) {
  if (absl::Status status = MakeDirectory(path); !status.ok()) {
    return status;
  }
  FileDescriptor directory(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat file {};
  if (!directory.valid() || ::fstat(directory.get(), &file) != 0) {
    return Errno("open directory", path);
  }
  // A user who may write to the directory may replace the key.
  if (absl::Status status = CheckOwner(file, 0022, path); !status.ok()) {
    return status;
  }
  const std::string name(kLockFile);
  FileDescriptor lock(::openat(directory.get(),
                               name.c_str(),
                               O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                               0600));
  if (!lock.valid()) {
    return Errno("open", absl::StrCat(path, "/", name));
  }
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      return Errno("flock", absl::StrCat(path, "/", name));
    }
  }
  // A restored backup may have replaced the directory during the wait.
  struct stat present {};
  if (::stat(path.c_str(), &present) != 0 || present.st_ino != file.st_ino ||
      present.st_dev != file.st_dev) {
    return absl::UnavailableError(
        absl::StrCat(path, " was replaced while it was opened: try again"));
  }
  return CaDirectory(path, std::move(directory), std::move(lock));
}

absl::StatusOr<bool> CaDirectory::Has(std::string_view name) const {
  struct stat file {};
  if (::fstatat(directory_.get(),
                std::string(name).c_str(),
                &file,
                AT_SYMLINK_NOFOLLOW) == 0) {
    return true;
  }
  return errno == ENOENT ? absl::StatusOr<bool>(false)
                         : Errno("stat", PathOf(name));
}

absl::StatusOr<std::vector<std::string>> CaDirectory::List() const {
  // A name through this object's descriptor: the checked directory.
  const std::string path = absl::StrCat("/proc/self/fd/", directory_.get());
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator();
       entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("reading directory ", path_, ": ", error.message()));
  }
  return names;
}

absl::Status CaDirectory::Remove(std::string_view name) const {
  if (::unlinkat(directory_.get(), std::string(name).c_str(), 0) != 0) {
    return Errno("unlink", PathOf(name));
  }
  return ::fsync(directory_.get()) == 0 ? absl::OkStatus()
                                        : Errno("fsync", path_);
}

absl::StatusOr<CaDirectory::OpenFile> CaDirectory::OpenToRead(
    std::string_view name, mode_t forbidden_mode) const {
  // O_NONBLOCK: a FIFO must not block the agent.
  FileDescriptor fd(
      ::openat(directory_.get(),
               std::string(name).c_str(),
               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat file {};
  if (!fd.valid() || ::fstat(fd.get(), &file) != 0) {
    return Errno("open", PathOf(name));
  }
  if (!S_ISREG(file.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(PathOf(name), " is no regular file"));
  }
  if (absl::Status status = CheckOwner(file, forbidden_mode, PathOf(name));
      !status.ok()) {
    return status;
  }
  return OpenFile{std::move(fd), static_cast<size_t>(file.st_size)};
}

absl::StatusOr<Secret> CaDirectory::Read(std::string_view name,
                                         mode_t forbidden_mode) const {
  absl::StatusOr<OpenFile> file = OpenToRead(name, forbidden_mode);
  if (!file.ok()) {
    return file.status();
  }
  if (file->size == 0 || file->size > kMaxFileBytes) {
    return absl::DataLossError(absl::StrCat(PathOf(name),
                                            " has ",
                                            file->size,
                                            " bytes, expected 1 to ",
                                            kMaxFileBytes));
  }
  absl::StatusOr<Secret> bytes = Secret::Create(file->size);
  if (!bytes.ok()) {
    return bytes.status();
  }
  absl::Status status = ReadAll(file->fd.get(), bytes->bytes(), PathOf(name));
  if (!status.ok()) {
    return status;
  }
  return bytes;
}

absl::StatusOr<std::string> CaDirectory::ReadText(std::string_view name,
                                                  size_t most) const {
  absl::StatusOr<bool> there = Has(name);
  if (!there.ok() || !*there) {
    return there.ok() ? absl::StatusOr<std::string>("") : there.status();
  }
  absl::StatusOr<OpenFile> file = OpenToRead(name, 0022);
  if (!file.ok()) {
    return file.status();
  }
  if (file->size > most) {
    return absl::DataLossError(absl::StrCat(
        PathOf(name), " has ", file->size, " bytes, more than ", most));
  }
  std::string text(file->size, '\0');
  absl::Status status =
      ReadAll(file->fd.get(),
              {reinterpret_cast<uint8_t *>(text.data()), text.size()},
              PathOf(name));
  if (!status.ok()) {
    return status;
  }
  return text;
}

absl::StatusOr<size_t> CaDirectory::Append(std::string_view name,
                                           std::string_view line) const {
  const FileDescriptor fd(
      ::openat(directory_.get(),
               std::string(name).c_str(),
               O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
               0600));
  struct stat file {};
  if (!fd.valid() || ::fstat(fd.get(), &file) != 0) {
    return Errno("open", PathOf(name));
  }
  absl::Status status =
      WriteAll(fd.get(),
               {reinterpret_cast<const uint8_t *>(line.data()), line.size()},
               PathOf(name));
  if (!status.ok()) {
    return status;
  }
  return static_cast<size_t>(file.st_size) + line.size();
}

absl::Status CaDirectory::Write(std::string_view name,
                                mode_t mode,
                                std::span<const uint8_t> bytes) const {
  const std::string aside = absl::StrCat(name, ".new");
  // An interrupted agent may have left the file; this object has the lock.
  if (::unlinkat(directory_.get(), aside.c_str(), 0) != 0 && errno != ENOENT) {
    return Errno("unlink", PathOf(aside));
  }
  FileDescriptor fd(::openat(directory_.get(),
                             aside.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                             mode));
  // The umask must not restrict the readers of a certificate.
  if (!fd.valid() || ::fchmod(fd.get(), mode) != 0) {
    return Errno("create", PathOf(aside));
  }
  if (absl::Status status = WriteAll(fd.get(), bytes, PathOf(aside));
      !status.ok()) {
    return status;
  }
  if (::fsync(fd.get()) != 0) {
    return Errno("fsync", PathOf(aside));
  }
  if (::renameat(directory_.get(),
                 aside.c_str(),
                 directory_.get(),
                 std::string(name).c_str()) != 0) {
    return Errno("rename", PathOf(aside));
  }
  return ::fsync(directory_.get()) == 0 ? absl::OkStatus()
                                        : Errno("fsync", path_);
}

}  // namespace kith
