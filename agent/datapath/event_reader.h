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

// EventReader calls `on_event`, on a thread of its own, for every event of the
// hooks until it is destroyed.
class EventReader {
 public:
  using OnEvent = std::function<void(const process_event &)>;

  static absl::StatusOr<std::unique_ptr<EventReader>> Start(int ring_buffer_fd,
                                                            OnEvent on_event);
  ~EventReader();
  EventReader(const EventReader &) = delete;
  EventReader &operator=(const EventReader &) = delete;

 private:
  EventReader() = default;
  static int Deliver(void *self, void *bytes, size_t size);
  void Run();

  OnEvent on_event_;
  ring_buffer *ring_ = nullptr;
  FileDescriptor stop_;  // eventfd
  std::thread thread_;
};

}  // namespace kith
