// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/resource_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "agent/policy/resource_files.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

// IN_CLOSE_WRITE and not IN_MODIFY: a file that is open for writing is not
// ready. IN_ATTRIB: it became readable.
constexpr uint32_t kMask = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM |
                           IN_MOVED_TO | IN_DELETE | IN_ATTRIB |
                           IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// IN_CLOSE_WRITE follows for a file that open() just created; a file that was
// linked here complete is not empty.
bool IsEmptyFile(const std::string &path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_size == 0;
}

}  // namespace

absl::StatusOr<ResourceWatch> ResourceWatch::Create(
    std::vector<std::string> paths) {
  FileDescriptor inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify.valid()) {
    return absl::ErrnoToStatus(
        errno, "inotify_init1 (see sysctl fs.inotify.max_user_instances)");
  }
  return ResourceWatch(std::move(inotify), std::move(paths));
}

ResourceWatch::Targets ResourceWatch::FindTargets() const {
  Targets targets;
  for (const std::string &path : paths_) {
    fs::path below = fs::path(path).lexically_normal();
    if (!below.has_filename()) {
      below = below.parent_path();  // "/a/b/" is "/a/b"
    }
    for (; below.has_relative_path(); below = below.parent_path()) {
      targets[below.parent_path().native()].names.insert(
          below.filename().native());
    }
  }
  ResourceFiles found;
  // The load reports its error.
  (void)FindResourceFiles(paths_, found);
  for (const std::string &directory : found.directories) {
    targets[directory].all = true;
  }
  for (const std::string &file : found.files) {
    std::error_code error;
    if (fs::is_symlink(file, error)) {
      const fs::path real = fs::canonical(file, error);
      if (!error) {
        targets[real.parent_path().native()].names.insert(
            real.filename().native());
      }
    }
  }
  return targets;
}

absl::Status ResourceWatch::Sync() {
  // A directory made between listing and watching its parent would stay
  // unwatched: look again until nothing is new. Each round finds one level.
  Targets targets = FindTargets();
  for (int round = 0; round <= kMaxResourceDepth; ++round) {
    if (auto status = Watch(targets); !status.ok()) {
      return status;
    }
    Targets now = FindTargets();
    if (now == targets) {
      return absl::OkStatus();
    }
    targets = std::move(now);
  }
  return absl::AbortedError("resources: the directories keep changing");
}

absl::Status ResourceWatch::Watch(const Targets &targets) {
  std::map<int, Watched> watched;
  for (const auto &[directory, interest] : targets) {
    const int watch =
        ::inotify_add_watch(inotify_.get(), directory.c_str(), kMask);
    if (watch < 0) {
      // A missing path is watched from above; an unreadable directory is above
      // the paths, because the others were just listed.
      if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) {
        continue;
      }
      return absl::ErrnoToStatus(
          errno,
          absl::StrCat("inotify_add_watch ",
                       directory,
                       " (see sysctl fs.inotify.max_user_watches)"));
    }
    // Two paths may lead to one directory, which has one watch.
    Watched &entry = watched[watch];
    entry.directory = directory;
    entry.interest.all |= interest.all;
    entry.interest.names.insert(interest.names.begin(), interest.names.end());
  }
  for (const auto &[watch, old] : watched_) {
    if (!watched.contains(watch)) {
      // Fails where the kernel removed it with its directory.
      (void)::inotify_rm_watch(inotify_.get(), watch);
    }
  }
  watched_ = std::move(watched);
  return absl::OkStatus();
}

bool ResourceWatch::Matters(int watch,
                            uint32_t mask,
                            std::string_view name) const {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    return true;  // anything may have been lost
  }
  const auto it = watched_.find(watch);
  if (it == watched_.end()) {
    return false;
  }
  const auto &[directory, interest] = it->second;
  if (name.empty()) {
    return interest.all;  // the directory itself
  }
  const bool hidden =
      absl::StartsWith(name, ".") && !absl::StartsWith(name, "..");
  const bool named = interest.names.contains(std::string(name));
  if (!named && (!interest.all || hidden)) {
    return false;
  }
  return (mask & IN_CREATE) == 0 ||
         !IsEmptyFile(absl::StrCat(directory, "/", name));
}

bool ResourceWatch::Drain() {
  bool matters = false;
  alignas(inotify_event) std::array<char, 16'384> buffer;
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) {
      return matters;  // EAGAIN
    }
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, &buffer[static_cast<size_t>(at)], sizeof(event));
      const char *name = &buffer[static_cast<size_t>(at)] + sizeof(event);
      matters |= Matters(
          event.wd, event.mask, event.len > 0 ? std::string_view(name) : "");
      at += static_cast<ssize_t>(sizeof(event) + event.len);
    }
  }
}

}  // namespace kith
