// SPDX-License-Identifier: Apache-2.0
#include "agent/svidfiles/memory_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kith {
namespace {

// Distinguishes a directory of an agent, which may be emptied, from others.
constexpr char kMarker[] = ".kith-svids";

constexpr int kDirectory = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kSearchable = 0755;  // names are no secret
constexpr mode_t kOwnerReads = 0400;

absl::Status Refused(const std::string &path, std::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, " ", why, ": no SVIDs are written there"));
}

absl::Status Failed(std::string_view call, std::string_view name) {
  return absl::ErrnoToStatus(errno, absl::StrCat(call, " ", name));
}

// The owner of a directory, and any user who may write to it unless it is
// sticky, controls what its names refer to.
absl::Status CheckOwned(const FileDescriptor &directory,
                        const std::string &path,
                        bool is_last) {
  struct stat found {};
  if (fstat(directory.get(), &found) != 0) {
    return Failed("stat", path);
  }
  if (found.st_uid != geteuid()) {
    return Refused(path, "belongs to another user");
  }
  const bool shared = (found.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (found.st_mode & S_ISVTX) != 0;
  if (shared && (is_last || !sticky)) {
    return Refused(path, "can be changed by other users");
  }
  return absl::OkStatus();
}

absl::Status CheckInMemory(const FileDescriptor &directory,
                           const std::string &path) {
  struct statfs found {};
  if (fstatfs(directory.get(), &found) != 0) {
    return Failed("statfs", path);
  }
  if (found.f_type != TMPFS_MAGIC && found.f_type != RAMFS_MAGIC) {
    return Refused(path, "is not on tmpfs or ramfs");
  }
  return absl::OkStatus();
}

absl::StatusOr<FileDescriptor> OpenOrMake(const FileDescriptor &in,
                                          const std::string &name) {
  const bool made = mkdirat(in.get(), name.c_str(), kSearchable) == 0;
  if (!made && errno != EEXIST) {
    return Failed("mkdir", name);
  }
  FileDescriptor opened(openat(in.get(), name.c_str(), kDirectory));
  // The umask of a service would exclude other users.
  if (!opened.valid() || (made && fchmod(opened.get(), kSearchable) != 0)) {
    return Failed("open", name);
  }
  return opened;
}

absl::StatusOr<FileDescriptor> OpenComponent(const FileDescriptor &in,
                                             const std::string &name,
                                             const std::string &path,
                                             bool is_last) {
  FileDescriptor found(openat(in.get(), name.c_str(), kDirectory));
  if (!found.valid() && errno == ENOENT && is_last) {
    // The directory has the file system of its parent.
    if (auto in_memory = CheckInMemory(in, path); !in_memory.ok()) {
      return in_memory;
    }
    return OpenOrMake(in, name);
  }
  if (!found.valid() && (errno == ELOOP || errno == ENOTDIR)) {
    return Refused(path, "is a symbolic link or no directory");
  }
  if (!found.valid()) {
    return Failed("open", path);
  }
  if (auto owned = CheckOwned(found, path, is_last); !owned.ok()) {
    return owned;
  }
  return found;
}

absl::StatusOr<FileDescriptor> OpenStepByStep(const std::string &path) {
  const std::vector<std::string> names =
      absl::StrSplit(path, '/', absl::SkipEmpty());
  FileDescriptor directory(open("/", kDirectory));
  std::string so_far;
  for (size_t i = 0; i < names.size(); ++i) {
    absl::StrAppend(&so_far, "/", names[i]);
    auto next =
        OpenComponent(directory, names[i], so_far, i + 1 == names.size());
    if (!next.ok()) {
      return next.status();
    }
    directory = *std::move(next);
  }
  if (auto in_memory = CheckInMemory(directory, path); !in_memory.ok()) {
    return in_memory;
  }
  return directory;
}

absl::StatusOr<std::vector<std::string>> NamesIn(
    const FileDescriptor &directory) {
  // Its own open file description: reading moves the offset.
  const int fd = openat(directory.get(), ".", kDirectory);
  DIR *const stream = fd < 0 ? nullptr : fdopendir(fd);
  if (stream == nullptr) {
    FileDescriptor closing(fd);
    return Failed("open", "directory");
  }
  std::vector<std::string> names;
  while (const dirent *entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  (void)closedir(stream);
  return names;
}

absl::Status WriteAll(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      return absl::ErrnoToStatus(errno, "write");
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

std::string Unfinished(std::string_view name) {
  return absl::StrCat(".", name, ".new");
}

absl::Status WriteUnfinished(const FileDescriptor &directory,
                             uid_t user,
                             const NewFile &file) {
  const std::string name = Unfinished(file.name);
  (void)unlinkat(directory.get(), name.c_str(), 0);
  const FileDescriptor out(
      openat(directory.get(),
             name.c_str(),
             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
             kOwnerReads));
  if (!out.valid()) {
    return Failed("create", file.name);
  }
  if (auto written = WriteAll(out.get(), file.bytes); !written.ok()) {
    return written;
  }
  // A group keeps none of its rights: the mode has none.
  if (fchown(out.get(), user, static_cast<gid_t>(-1)) != 0) {
    return Failed("chown", file.name);
  }
  return absl::OkStatus();
}

absl::Status RemoveFiles(const FileDescriptor &in, const std::string &name) {
  const FileDescriptor directory(openat(in.get(), name.c_str(), kDirectory));
  if (!directory.valid()) {
    return errno == ENOENT ? absl::OkStatus() : Failed("open", name);
  }
  auto files = NamesIn(directory);
  if (!files.ok()) {
    return files.status();
  }
  for (const std::string &file : *files) {
    if (unlinkat(directory.get(), file.c_str(), 0) != 0) {
      return Failed("remove", file);
    }
  }
  return unlinkat(in.get(), name.c_str(), AT_REMOVEDIR) == 0
             ? absl::OkStatus()
             : Failed("remove", name);
}

}  // namespace

absl::StatusOr<MemoryDirectory> MemoryDirectory::Open(const std::string &path) {
  auto root = OpenStepByStep(path);
  if (!root.ok()) {
    return root.status();
  }
  MemoryDirectory directory(path, *std::move(root));
  if (auto taken = directory.TakePossession(); !taken.ok()) {
    return taken;
  }
  return directory;
}

// A directory that was configured by mistake is not emptied.
absl::Status MemoryDirectory::TakePossession() {
  auto names = NamesIn(root_);
  if (!names.ok()) {
    return names.status();
  }
  if (!names->empty() && std::ranges::find(*names, kMarker) == names->end()) {
    return Refused(path_, "has files that are not of an agent");
  }
  marker_.Reset(openat(
      root_.get(), kMarker, O_WRONLY | O_CREAT | O_CLOEXEC, kOwnerReads));
  // The lock fails until the replaced agent has removed its files.
  if (marker_.valid() && flock(marker_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Refused(path_, "is another agent's");
  }
  return marker_.valid() ? Clear() : Failed("create", kMarker);
}

absl::Status MemoryDirectory::Write(const FilePlace &place,
                                    const std::vector<NewFile> &files) {
  auto of_user = OpenOrMake(root_, absl::StrCat(place.user));
  if (!of_user.ok()) {
    return of_user.status();
  }
  auto directory = OpenOrMake(*of_user, place.name);
  if (!directory.ok()) {
    return directory.status();
  }
  for (const NewFile &file : files) {
    if (auto written = WriteUnfinished(*directory, place.user, file);
        !written.ok()) {
      return written;
    }
  }
  for (const NewFile &file : files) {
    if (renameat(directory->get(),
                 Unfinished(file.name).c_str(),
                 directory->get(),
                 std::string(file.name).c_str()) != 0) {
      return Failed("rename", file.name);
    }
  }
  return absl::OkStatus();
}

absl::Status MemoryDirectory::Remove(const FilePlace &place) {
  const std::string user = absl::StrCat(place.user);
  const FileDescriptor of_user(openat(root_.get(), user.c_str(), kDirectory));
  if (!of_user.valid()) {
    return errno == ENOENT ? absl::OkStatus() : Failed("open", user);
  }
  absl::Status removed = RemoveFiles(of_user, place.name);
  // Fails while the user has other places.
  (void)unlinkat(root_.get(), user.c_str(), AT_REMOVEDIR);
  return removed;
}

absl::Status MemoryDirectory::Clear() {
  auto users = NamesIn(root_);
  if (!users.ok()) {
    return users.status();
  }
  absl::Status cleared = absl::OkStatus();
  for (const std::string &user : *users) {
    const FileDescriptor of_user(openat(root_.get(), user.c_str(), kDirectory));
    if (!std::ranges::all_of(user, absl::ascii_isdigit) || !of_user.valid()) {
      continue;
    }
    auto places = NamesIn(of_user);
    for (const std::string &place :
         places.value_or(std::vector<std::string>())) {
      cleared.Update(RemoveFiles(of_user, place));
    }
    (void)unlinkat(root_.get(), user.c_str(), AT_REMOVEDIR);
  }
  return cleared;
}

std::string MemoryDirectory::PathOf(const FilePlace &place) const {
  return absl::StrCat(path_, "/", place.user, "/", place.name);
}

}  // namespace kith
