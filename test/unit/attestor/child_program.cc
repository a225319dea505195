// SPDX-License-Identifier: Apache-2.0
#include "test/unit/attestor/child_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include <catch2/catch_test_macros.hpp>

#include "agent/attestor/cgroup_attestor.h"
#include "agent/attestor/proc_directory.h"
#include "agent/attestor/proc_text.h"

namespace kith {
namespace {

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;

  Pipe() {
    std::array<int, 2> fds{};
    REQUIRE(pipe2(fds.data(), O_CLOEXEC) == 0);
    read.Reset(fds[0]);
    write.Reset(fds[1]);
  }
};

}  // namespace

ChildProgram::ChildProgram(std::string path, std::vector<std::string> arguments)
    : path_(std::move(path)), arguments_(std::move(arguments)) {
  Pipe start;
  Pipe started;
  Pipe input;
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    // The parent's ends must not live on in the child: it waits for them.
    started.read.Reset();
    start.write.Reset();
    start_ = std::move(start.read);
    dup2(input.read.get(), STDIN_FILENO);
    RunChild();
  }
  start_ = std::move(start.write);
  started_ = std::move(started.read);
  input_ = std::move(input.write);
}

void ChildProgram::RunChild() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte = 0;
  if (read(start_.get(), &byte, 1) == 1) {
    std::vector<char *> argv;
    for (const std::string &argument : arguments_) {
      argv.push_back(const_cast<char *>(argument.c_str()));
    }
    argv.push_back(nullptr);
    execv(path_.c_str(), argv.data());
  }
  _exit(127);
}

ChildProgram::~ChildProgram() {
  Reap();
}

void ChildProgram::Exec() {
  REQUIRE(write(start_.get(), "x", 1) == 1);
  char byte = 0;
  REQUIRE(read(started_.get(), &byte, 1) == 0);
}

void ChildProgram::Kill() {
  REQUIRE(kill(pid_, SIGKILL) == 0);
  siginfo_t ended{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) ==
          0);
}

void ChildProgram::Reap() {
  if (pid_ > 0) {
    (void)kill(pid_, SIGKILL);
    (void)waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

ProcessFacts FactsOf(pid_t pid) {
  auto directory = ProcDirectory::Open("/proc", static_cast<uint32_t>(pid));
  REQUIRE(directory.ok());
  auto stat = ParseStat(directory->Read("stat", 4096).value());
  auto status = ParseCredentials(directory->Read("status", 1U << 20).value());
  auto cgroup = ParseCgroup(directory->Read("cgroup", 65536).value());
  REQUIRE((stat.ok() && status.ok() && cgroup.ok()));
  ProcessFacts facts{};
  facts.tgid = static_cast<uint32_t>(pid);
  // Any time within the tick.
  facts.start_time_ns =
      stat->start_ticks * (1'000'000'000 / sysconf(_SC_CLK_TCK)) + 1234;
  facts.exec_id = 1;
  facts.uid = status->effective_uid;
  facts.gid = status->effective_gid;
  facts.cgroup_id = CgroupRoot::Find("/proc").value().IdOf(*cgroup).value();
  return facts;
}

ProcessImage ImageOf(pid_t pid) {
  struct stat stat {};
  const std::string exe = "/proc/" + std::to_string(pid) + "/exe";
  REQUIRE(::stat(exe.c_str(), &stat) == 0);
  ProcessImage image{};
  image.exe_inode = stat.st_ino;
  image.exe_dev = major(stat.st_dev) << 20 | minor(stat.st_dev);
  return image;
}

}  // namespace kith
