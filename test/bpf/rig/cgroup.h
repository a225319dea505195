// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace kith {

// TestCgroup is a directory of cgroup v2 for one test, removed at its end.
class TestCgroup {
 public:
  TestCgroup();  // below the root of the hierarchy
  TestCgroup(const TestCgroup &parent, const std::string &name);
  ~TestCgroup();
  TestCgroup(const TestCgroup &) = delete;
  TestCgroup &operator=(const TestCgroup &) = delete;

  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

// InCgroup moves the test process, and so the sockets that it makes, into a
// cgroup while it lives.
class InCgroup {
 public:
  explicit InCgroup(const std::string &path);
  explicit InCgroup(const TestCgroup &cgroup) : InCgroup(cgroup.path()) {}
  ~InCgroup();
  InCgroup(const InCgroup &) = delete;
  InCgroup &operator=(const InCgroup &) = delete;

 private:
  std::string former_;
};

}  // namespace kith
