// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/runtime/file_descriptor.h"

namespace kith {

// NamedDescriptor is a descriptor from the service manager (sd_listen_fds(3)).
struct NamedDescriptor {
  std::string name;
  FileDescriptor descriptor;
};

// TakeListenDescriptors returns the descriptors that the service manager passed
// to this process by LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, close-on-exec,
// and removes the variables. Call it once, before other descriptors are opened
// by number.
std::vector<NamedDescriptor> TakeListenDescriptors();

}  // namespace kith
