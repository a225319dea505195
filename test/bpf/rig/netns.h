// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "agent/runtime/file_descriptor.h"

namespace kith {

// TestNetns is a new network namespace with `lo` up.
class TestNetns {
 public:
  TestNetns();

  int fd() const { return fd_.get(); }
  uint64_t cookie() const { return cookie_; }

 private:
  FileDescriptor fd_;
  uint64_t cookie_ = 0;
};

}  // namespace kith
