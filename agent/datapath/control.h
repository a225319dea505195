// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

#include "abi/control.h"

namespace kith {

// Control is the agent's mapping of the map `control`, whose values the hooks
// obey at once. Thread-safe, except that Resolve requests must not overlap.
class Control {
 public:
  // Map maps the control map `fd`.
  static absl::StatusOr<Control> Map(int fd);

  Control(Control &&other) noexcept;
  Control &operator=(Control &&other) noexcept;
  Control(const Control &) = delete;
  Control &operator=(const Control &) = delete;
  ~Control();

  void SetPolicyGeneration(uint64_t generation);

  // SetAgent names the process that the hooks never capture.
  void SetAgent(uint32_t tgid, uint64_t start_time_ns);

  // TakeListenersLost tells whether a listener found no room, and clears that.
  bool TakeListenersLost();
  void SetListenersLost();

  // RequestOwner asks the next run of the listener iterator to enter a new
  // owner at `key`; RequestOwner({}) withdraws the request.
  void RequestOwner(const listener_key &key);

  // RequestPassListener asks the next run of the listener iterator to enter the
  // socket with this cookie in the map pass_listeners; 0 withdraws the request.
  // Returns the cookie that was not entered yet. Like Resolve requests, these
  // must not overlap.
  uint64_t RequestPassListener(uint64_t cookie);

 private:
  explicit Control(datapath_control *mapped) : mapped_(mapped) {}

  datapath_control *mapped_ = nullptr;
};

}  // namespace kith
