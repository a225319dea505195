// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/event_reader.h"

#include <bpf/libbpf.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "agent/datapath/urgent_thread.h"

namespace kith {

absl::StatusOr<std::unique_ptr<EventReader>> EventReader::Start(
    int ring_buffer_fd, Callbacks callbacks) {
  std::unique_ptr<EventReader> reader(new EventReader());
  reader->callbacks_ = std::move(callbacks);
  reader->stop_.Reset(eventfd(0, EFD_CLOEXEC));
  if (!reader->stop_.valid()) {
    return absl::ErrnoToStatus(errno, "eventfd");
  }
  reader->ring_ =
      ring_buffer__new(ring_buffer_fd, Receive, reader.get(), nullptr);
  if (reader->ring_ == nullptr) {
    return absl::ErrnoToStatus(errno, "mapping the ring buffer of the hooks");
  }
  reader->thread_ = std::thread(&EventReader::Run, reader.get());
  return reader;
}

EventReader::~EventReader() {
  if (thread_.joinable()) {
    (void)eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  ring_buffer__free(ring_);
}

int EventReader::Receive(void *self, void *bytes, size_t size) {
  static_cast<EventReader *>(self)->Deliver(bytes, size);
  return 0;
}

void EventReader::Deliver(const void *event, size_t size) {
  static_assert(sizeof(process_event) == sizeof(outer_event) &&
                sizeof(process_event) == sizeof(direct_event));
  if (size < sizeof(process_event)) {
    return;
  }
  // All kinds of record begin with the field that distinguishes them.
  const auto &process = *static_cast<const process_event *>(event);
  if (process.kind == OUTER_EVENT_NOT_TLS) {
    callbacks_.on_outer(*static_cast<const outer_event *>(event));
  } else if (process.kind == DIRECT_EVENT_CHANGED) {
    callbacks_.on_direct(*static_cast<const direct_event *>(event));
  } else {
    callbacks_.on_process(process);
  }
}

void EventReader::Run() {
  MakeThreadUrgent();
  pollfd waiting[] = {{stop_.get(), POLLIN, 0},
                      {ring_buffer__epoll_fd(ring_), POLLIN, 0}};
  for (;;) {
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) {
      return;
    }
    if (waiting[0].revents != 0) {
      return;
    }
    (void)ring_buffer__consume(ring_);
  }
}

}  // namespace kith
