// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "kith/process.h"

namespace kith {

// TempDirectory is removed with its contents on destruction.
class TempDirectory {
 public:
  TempDirectory();
  TempDirectory(const TempDirectory &) = delete;
  TempDirectory &operator=(const TempDirectory &) = delete;
  ~TempDirectory();

  const std::string &path() const { return path_; }
  // Write creates a file (and its directories) and returns its path.
  std::string Write(const std::string &name, const std::string &text) const;

 private:
  std::string path_;
};

// FakeProc is a /proc with contents of our choice for one real process, this
// one, because liveness is asked from the kernel.
class FakeProc {
 public:
  static constexpr uint64_t kStartTicks = 12345;

  FakeProc();

  const std::string &path() const { return directory_.path(); }
  // Set replaces /proc/PID/NAME.
  void Set(const std::string &name, const std::string &text) const;
  void Remove(const std::string &name) const;
  // SetExe makes /proc/PID/exe a link to `target`.
  void SetExe(const std::string &target) const;
  // RemoveAll removes /proc/PID: what hidepid=2 looks like.
  void RemoveAll() const;
  // SetCgroup makes a cgroup directory at `path` and puts the process there.
  void SetCgroup(const std::string &path);

  // What a hook would have seen of this process.
  const ProcessFacts &facts() const { return facts_; }
  ProcessImage image() const;

 private:
  TempDirectory directory_;
  std::string process_;
  ProcessFacts facts_{};
};

}  // namespace kith
