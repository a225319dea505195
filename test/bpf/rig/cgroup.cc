// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/cgroup.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/str_cat.h"

#include "agent/datapath/features.h"

namespace kith {
namespace {

std::string UniquePath() {
  static std::atomic<int> next = 0;
  auto root = FindCgroupRoot();
  CHECK_OK(root.status());
  return absl::StrCat(*root, "/kith-bpf-test-", getpid(), "-", next++);
}

// Processes that were just killed leave a little later: the file tells when.
void WaitUntilEmpty(const std::string &path) {
  const std::string events = absl::StrCat(path, "/cgroup.events");
  for (;;) {
    std::ifstream file(events);
    std::string key;
    int populated = 0;
    if (!(file >> key >> populated) || populated == 0) {
      return;
    }
    // Any change wakes poll(); the timeout covers one that came before it.
    FILE *watched = fopen(events.c_str(), "re");
    if (watched == nullptr) {
      return;
    }
    pollfd waiting{fileno(watched), POLLPRI, 0};
    (void)poll(&waiting, 1, 10);
    fclose(watched);
  }
}

// The cgroup v2 of this process, as a directory.
std::string CurrentCgroup() {
  auto root = FindCgroupRoot();
  CHECK_OK(root.status());
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) {
      return absl::StrCat(*root, line.substr(3));
    }
  }
  LOG(FATAL) << "no cgroup v2";
}

void JoinCgroup(const std::string &path) {
  std::ofstream procs(absl::StrCat(path, "/cgroup.procs"));
  CHECK(procs << "0" << std::flush) << path;
}

}  // namespace

TestCgroup::TestCgroup() : path_(UniquePath()) {
  PCHECK(mkdir(path_.c_str(), 0755) == 0) << path_;
}

TestCgroup::TestCgroup(const TestCgroup &parent, const std::string &name)
    : path_(absl::StrCat(parent.path(), "/", name)) {
  PCHECK(mkdir(path_.c_str(), 0755) == 0) << path_;
}

TestCgroup::~TestCgroup() {
  WaitUntilEmpty(path_);
  rmdir(path_.c_str());
}

InCgroup::InCgroup(const std::string &path) : former_(CurrentCgroup()) {
  JoinCgroup(path);
}

InCgroup::~InCgroup() {
  JoinCgroup(former_);
}

}  // namespace kith
