// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

namespace kith {

// MakeThreadUrgent lets the calling thread run before ordinary ones (Linux has
// a nice value per thread, setpriority(2)). A process that connects in a
// namespace where the agent has no listener yet is refused: on a busy machine
// the threads that open listeners must not queue behind ordinary ones. Without
// CAP_SYS_NICE nothing changes.
inline void MakeThreadUrgent() {
  constexpr int kMostUrgent = -20;
  (void)setpriority(PRIO_PROCESS, 0, kMostUrgent);
}

}  // namespace kith
