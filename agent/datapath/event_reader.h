// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"

#include "abi/event.h"
#include "agent/runtime/file_descriptor.h"

struct ring_buffer;

namespace kith {

// EventReader calls a function for every event of the hooks, on a thread of its
// own, until it is destroyed.
class EventReader {
 public:
  struct Callbacks {
    std::function<void(const process_event &)> on_process;
    std::function<void(const outer_event &)> on_outer;
    std::function<void(const direct_event &)> on_direct;
  };

  static absl::StatusOr<std::unique_ptr<EventReader>> Start(
      int ring_buffer_fd, Callbacks callbacks);
  ~EventReader();
  EventReader(const EventReader &) = delete;
  EventReader &operator=(const EventReader &) = delete;

 private:
  EventReader() = default;
  static int Receive(void *self, void *bytes, size_t size);
  void Deliver(const void *event, size_t size);
  void Run();

  Callbacks callbacks_;
  ring_buffer *ring_ = nullptr;
  FileDescriptor stop_;  // eventfd
  std::thread thread_;
};

}  // namespace kith
