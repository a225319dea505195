// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/ca_directory_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/issuer/ca_authority_list.h"
#include "agent/issuer/svid_ledger.h"

namespace kith {
namespace {

// A replacement by CaDirectory::Write appears as a move; a lost event (the
// queue is full) must not be a lost change.
constexpr uint32_t kEvents = IN_MOVED_TO | IN_CREATE | IN_ONLYDIR;

std::filesystem::path Absolute(const std::string &directory) {
  const auto path = std::filesystem::absolute(directory).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

absl::StatusOr<std::unique_ptr<CaDirectoryWatch>> CaDirectoryWatch::Create(
    const std::string &directory, std::function<void()> on_change) {
  std::unique_ptr<CaDirectoryWatch> watch(
      new CaDirectoryWatch(directory, std::move(on_change)));
  if (absl::Status status = watch->Start(); !status.ok()) {
    return status;
  }
  return watch;
}

CaDirectoryWatch::CaDirectoryWatch(const std::string &directory,
                                   std::function<void()> on_change)
    : path_(Absolute(directory)),
      parent_(Absolute(directory).parent_path()),
      base_(Absolute(directory).filename()),
      on_change_(std::move(on_change)) {}

CaDirectoryWatch::~CaDirectoryWatch() {
  Stop();
}

void CaDirectoryWatch::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof(one));
    thread_.join();
  }
}

absl::Status CaDirectoryWatch::Start() {
  inotify_.Reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_.valid()) {
    return absl::ErrnoToStatus(errno, "inotify_init1");
  }
  stop_.Reset(::eventfd(0, EFD_CLOEXEC));
  if (!stop_.valid()) {
    return absl::ErrnoToStatus(errno, "eventfd");
  }
  outside_ = ::inotify_add_watch(inotify_.get(), parent_.c_str(), kEvents);
  if (outside_ < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("watching ", parent_));
  }
  if (absl::Status status = WatchDirectory(); !status.ok()) {
    return status;
  }
  thread_ = std::thread([this] { Follow(); });
  return absl::OkStatus();
}

absl::Status CaDirectoryWatch::WatchDirectory() {
  const int watch = ::inotify_add_watch(inotify_.get(), path_.c_str(), kEvents);
  if (watch < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("watching ", path_));
  }
  if (inside_ >= 0 && inside_ != watch) {
    (void)::inotify_rm_watch(inotify_.get(), inside_);
  }
  inside_ = watch;
  return absl::OkStatus();
}

bool CaDirectoryWatch::Matters(int watch, std::string_view name) const {
  return watch == outside_
             ? name == base_
             : name == kAuthorityList || name == RevokedSvids::kFile;
}

bool CaDirectoryWatch::Drain() {
  // Room for a few of the longest events (inotify(7)).
  alignas(inotify_event)
      std::array<char, 8 * (sizeof(inotify_event) + NAME_MAX + 1)>
          buffer{};
  bool matters = false;
  for (;;) {
    const ssize_t length = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (length <= 0) {
      return matters;
    }
    for (ssize_t at = 0; at < length;) {
      const auto *event =
          reinterpret_cast<const inotify_event *>(buffer.data() + at);
      matters = matters || (event->mask & IN_Q_OVERFLOW) != 0 ||
                Matters(event->wd, event->len == 0 ? "" : event->name);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

void CaDirectoryWatch::Follow() {
  (void)::pthread_setname_np(::pthread_self(), "ca-watch");
  std::array<pollfd, 2> waiting = {
      {{stop_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
  for (;;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0) {
      continue;  // EINTR: nothing else can go wrong with these
    }
    if (waiting[0].revents != 0) {
      return;
    }
    if (Drain()) {
      // A directory that is missing at the moment causes an event on return.
      (void)WatchDirectory();
      on_change_();
    }
  }
}

}  // namespace kith
