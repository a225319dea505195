// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/proc_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "agent/attestor/proc_text.h"

namespace kith {
namespace {

constexpr size_t kMaxFdinfo = 4096;
constexpr size_t kMaxThreadStat = 4096;

// Appends at most `limit` bytes to `text`; returns 0 or the errno.
int ReadAll(int fd, size_t limit, std::string &text) {
  std::array<char, 4096> chunk{};
  while (text.size() < limit) {
    const ssize_t count =
        read(fd, chunk.data(), std::min(chunk.size(), limit - text.size()));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return errno;
    }
    if (count == 0) {
      break;
    }
    text.append(chunk.data(), static_cast<size_t>(count));
  }
  return 0;
}

// The inode number in the kernel: "ino:" of /proc/self/fdinfo/FD (Linux 5.14).
uint64_t KernelInode(const std::string &proc, const ExeFile &exe) {
  auto text = ReadTextFile(absl::StrCat(proc, "/self/fdinfo/", exe.path.get()),
                           kMaxFdinfo);
  uint64_t inode = exe.inode;
  for (std::string_view line : absl::StrSplit(text.value_or(""), '\n')) {
    if (absl::ConsumePrefix(&line, "ino:")) {
      (void)absl::SimpleAtoi(line, &inode);
    }
  }
  return inode;
}

}  // namespace

absl::StatusOr<std::string> ReadTextFile(const std::string &path,
                                         size_t limit) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  std::string text;
  if (const int error = ReadAll(fd.get(), limit, text); error != 0) {
    return absl::ErrnoToStatus(error, absl::StrCat("read ", path));
  }
  return text;
}

ProcDirectory::ProcDirectory(FileDescriptor directory,
                             std::string proc,
                             std::string path)
    : directory_(std::move(directory)),
      proc_(std::move(proc)),
      path_(std::move(path)) {}

absl::StatusOr<ProcDirectory> ProcDirectory::Open(const std::string &proc,
                                                  uint32_t pid) {
  const std::string path = absl::StrCat(proc, "/", pid);
  FileDescriptor directory(
      open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
  }
  return ProcDirectory(std::move(directory), proc, path);
}

absl::StatusOr<ProcDirectory> ProcDirectory::OpenLiveThread() const {
  const int fd =
      openat(directory_.get(), "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR *)> threads(
      fd < 0 ? nullptr : fdopendir(fd), &closedir);
  if (threads == nullptr) {
    return Failed(errno, "open", "task");
  }
  while (const dirent *entry = readdir(threads.get())) {
    const std::string name = absl::StrCat("task/", entry->d_name);
    ProcDirectory thread(
        FileDescriptor(openat(
            directory_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
        proc_,
        PathOf(name));
    auto text = thread.Read("stat", kMaxThreadStat);
    auto stat = text.ok() ? ParseStat(*text) : text.status();
    if (stat.ok() && stat->state != 'Z' && stat->state != 'X') {
      return thread;
    }
  }
  return absl::NotFoundError(absl::StrCat(PathOf("task"), ": no live thread"));
}

std::string ProcDirectory::PathOf(std::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::Status ProcDirectory::Failed(int error,
                                   std::string_view call,
                                   std::string_view name) const {
  const std::string what = absl::StrCat(call, " ", PathOf(name));
  // ESRCH: the process ended between two reads.
  if (error == ESRCH) {
    return absl::NotFoundError(absl::StrCat(what, ": the process is gone"));
  }
  absl::Status status = absl::ErrnoToStatus(error, what);
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(
        absl::StrCat(status.message(),
                     ": the agent needs CAP_SYS_PTRACE, and a /proc without "
                     "hidepid or a gid= of its own"));
  }
  return status;
}

absl::StatusOr<std::string> ProcDirectory::ReadStart(const std::string &name,
                                                     size_t limit) const {
  FileDescriptor fd(openat(directory_.get(),
                           name.c_str(),
                           O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) {
    return Failed(errno, "open", name);
  }
  std::string text;
  if (const int error = ReadAll(fd.get(), limit, text); error != 0) {
    return Failed(error, "read", name);
  }
  return text;
}

absl::StatusOr<std::string> ProcDirectory::Read(const std::string &name,
                                                size_t limit) const {
  auto text = ReadStart(name, limit + 1);
  if (text.ok() && text->size() > limit) {
    return absl::OutOfRangeError(absl::StrCat(
        PathOf(name), ": longer than ", limit, " bytes, which is not read"));
  }
  return text;
}

absl::StatusOr<std::string> ProcDirectory::ReadExeLink() const {
  std::string link(PATH_MAX, '\0');
  const ssize_t length =
      readlinkat(directory_.get(), "exe", link.data(), link.size());
  if (length < 0) {
    return Failed(errno, "readlink", "exe");
  }
  if (static_cast<size_t>(length) == link.size()) {
    return absl::OutOfRangeError(
        absl::StrCat(PathOf("exe"), ": the path is longer than PATH_MAX"));
  }
  link.resize(static_cast<size_t>(length));
  return link;
}

absl::StatusOr<ExeFile> ProcDirectory::FindExe() const {
  ExeFile exe;
  exe.path.Reset(openat(directory_.get(), "exe", O_PATH | O_CLOEXEC));
  if (!exe.path.valid()) {
    return Failed(errno, "open", "exe");
  }
  // DONT_SYNC: a file server (FUSE) must not be able to block the agent.
  struct statx stat {};
  if (statx(exe.path.get(),
            "",
            AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
            STATX_INO | STATX_NLINK | STATX_MNT_ID,
            &stat) != 0) {
    return Failed(errno, "statx", "exe");
  }
  exe.inode = stat.stx_ino;
  exe.device = stat.stx_dev_major << 20 | stat.stx_dev_minor;
  exe.links = stat.stx_nlink;
  exe.mount_id = stat.stx_mnt_id;
  return exe;
}

absl::StatusOr<FileDescriptor> ProcDirectory::OpenExe() const {
  FileDescriptor fd(openat(
      directory_.get(), "exe", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) {
    return Failed(errno, "open", "exe");
  }
  return fd;
}

bool ProcDirectory::IsImage(const ExeFile &exe,
                            const ProcessImage &image) const {
  if (exe.inode == image.exe_inode && exe.device == image.exe_dev) {
    return true;
  }
  if (KernelInode(proc_, exe) != image.exe_inode) {
    return false;
  }
  if (exe.device == image.exe_dev) {
    return true;
  }
  auto mountinfo = Read("mountinfo", kMaxMountinfo);
  return mountinfo.ok() && FindMount(*mountinfo, [&](const Mount &mount) {
                             return mount.id == exe.mount_id &&
                                    mount.device == image.exe_dev;
                           }).has_value();
}

}  // namespace kith
