// SPDX-License-Identifier: Apache-2.0
#include "test/unit/attestor/fake_proc.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch_test_macros.hpp>

namespace kith {

namespace fs = std::filesystem;

TempDirectory::TempDirectory() {
  std::string name = fs::temp_directory_path() / "kith-attestor-XXXXXX";
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TempDirectory::Write(const std::string &name,
                                 const std::string &text) const {
  const fs::path path = fs::path(path_) / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
  return path;
}

FakeProc::FakeProc() : process_(std::to_string(getpid())) {
  facts_.tgid = static_cast<uint32_t>(getpid());
  facts_.start_time_ns = kStartTicks * (1'000'000'000 / sysconf(_SC_CLK_TCK));
  facts_.exec_id = 1;
  facts_.uid = 1000;
  facts_.gid = 1001;
  Set("stat",
      process_ + " (a) (b) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " +
          std::to_string(kStartTicks) + " 0 0");
  Set("comm", "cat\n");
  Set("cmdline", std::string("cat\0-\0", 6));
  Set("status",
      "Name:\tcat\nUid:\t1000\t1000\t1000\t1000\n"
      "Gid:\t1001\t1001\t1001\t1001\nGroups:\t4 \n");
  SetExe("/bin/cat");
  directory_.Write("self/mountinfo",
                   "30 22 0:27 / " + directory_.path() +
                       "/cgroup rw - cgroup2 cgroup2 rw\n");
  SetCgroup("/system.slice/cat.service");
}

void FakeProc::Set(const std::string &name, const std::string &text) const {
  directory_.Write(process_ + "/" + name, text);
}

void FakeProc::Remove(const std::string &name) const {
  fs::remove(path() + "/" + process_ + "/" + name);
}

void FakeProc::SetExe(const std::string &target) const {
  Remove("exe");
  fs::create_symlink(target, path() + "/" + process_ + "/exe");
}

void FakeProc::RemoveAll() const {
  fs::remove_all(path() + "/" + process_);
}

void FakeProc::SetCgroup(const std::string &cgroup) {
  Set("cgroup", "4:memory:/elsewhere\n0::" + cgroup + "\n");
  const std::string directory = path() + "/cgroup" + cgroup;
  fs::create_directories(directory);
  struct stat stat {};
  REQUIRE(::stat(directory.c_str(), &stat) == 0);
  facts_.cgroup_id = stat.st_ino;
}

ProcessImage FakeProc::image() const {
  struct stat stat {};
  ProcessImage image{};
  if (::stat((path() + "/" + process_ + "/exe").c_str(), &stat) == 0) {
    image.exe_inode = stat.st_ino;
    image.exe_dev = major(stat.st_dev) << 20 | minor(stat.st_dev);
  }
  return image;
}

}  // namespace kith
