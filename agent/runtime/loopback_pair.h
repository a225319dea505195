// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// LoopbackPair is an established TCP connection of the calling thread's network
// namespace, over 127.0.0.1.
struct LoopbackPair {
  FileDescriptor client;
  FileDescriptor server;

  static absl::StatusOr<LoopbackPair> Connect();
};

// InOwnNetns runs `function` on a thread in a new network namespace whose
// loopback is up, and waits for it. The machine's firewalls and hooks have no
// effect there. Needs CAP_SYS_ADMIN.
absl::Status InOwnNetns(const std::function<absl::Status()> &function);

}  // namespace kith
