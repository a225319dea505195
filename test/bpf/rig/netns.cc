// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/netns.h"

#include <fcntl.h>
#include <sched.h>

#include <thread>

#include "absl/log/check.h"

#include "agent/datapath/netns_listeners.h"

namespace kith {

TestNetns::TestNetns() {
  std::thread([this] {
    PCHECK(unshare(CLONE_NEWNET) == 0);
    fd_.Reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    auto listeners = OpenListenersHere();  // for the sake of lo
    CHECK_OK(listeners.status());
    cookie_ = listeners->netns_cookie;
  }).join();
}

}  // namespace kith
