// SPDX-License-Identifier: Apache-2.0
#include "test/bpf/rig/join.h"

#include <sched.h>

#include <thread>

#include "absl/log/check.h"

namespace kith {

void RunInNetns(const TestNetns &netns, const std::function<void()> &task) {
  std::thread([&] {
    PCHECK(setns(netns.fd(), CLONE_NEWNET) == 0);
    task();
  }).join();
}

void Must(bool ok) {
  PCHECK(ok);
}

JoinRig::JoinRig() {
  auto loaded = JoinTable::Load();
  CHECK_OK(loaded.status());
  table = *std::move(loaded);
  RunInNetns(netns, [this] {
    auto opened = ScratchFlow::Open();
    CHECK_OK(opened.status());
    flow = *std::move(opened);
  });
  auto opened =
      table->Open(netns.cookie(),
                  SockmapFd::OfScratch(flow.client_side),
                  SockmapFd::OfScratch(flow.server_side),
                  [this](uint64_t, const std::function<void()> &task) {
                    RunInNetns(netns, task);
                    return absl::OkStatus();
                  });
  CHECK_OK(opened.status());
  join = *std::move(opened);
}

}  // namespace kith
