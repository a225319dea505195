// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"

#include "agent/datapath/datapath.h"
#include "agent/datapath/pin_directory.h"
#include "agent/datapath/programs.h"

namespace kith {

// NetnsSteering makes the hooks send the flows of a namespace to listeners.
class NetnsSteering {
 public:
  NetnsSteering(const Programs &programs, const PinDirectory &pins, bool pin)
      : programs_(programs), pins_(pins), pin_(pin) {}

  // Offer enters the listeners, so that connect() and SYNs find them.
  absl::Status Offer(const NetnsListeners &listeners);
  void Withdraw(uint64_t netns_cookie);

  // AttachSkLookup loads an instance of sk_lookup for the namespace `netns_fd`
  // and returns its link.
  absl::StatusOr<FileDescriptor> AttachSkLookup(uint64_t netns_cookie,
                                                int netns_fd);
  void Unpin(uint64_t netns_cookie);
  // PinSkLookup pins the link, so that another process can find it.
  absl::Status PinSkLookup(uint64_t netns_cookie, int link) const;

  // LeaveToChild makes Withdraw and Unpin do nothing while `left`: entries and
  // pins belong to another process.
  void LeaveToChild(bool left) { left_ = left; }

 private:
  absl::Status HideFromTable(const FileDescriptor &listener);
  absl::Status OfferOne(const agent_listener_key &key,
                        const FileDescriptor &listener);

  const Programs &programs_;
  const PinDirectory &pins_;
  const bool pin_;
  std::atomic<bool> left_{false};
};

}  // namespace kith
