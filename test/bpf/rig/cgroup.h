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

}  // namespace kith
