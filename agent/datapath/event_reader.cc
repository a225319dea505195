// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/event_reader.h"

#include <bpf/libbpf.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "agent/datapath/urgent_thread.h"

namespace kith {

absl::StatusOr<std::unique_ptr<EventReader>> EventReader::Start(
    int ring_buffer_fd, OnEvent on_event) {
  std::unique_ptr<EventReader> reader(new EventReader());
  reader->on_event_ = std::move(on_event);
  reader->stop_.Reset(eventfd(0, EFD_CLOEXEC));
  if (!reader->stop_.valid()) {
    return absl::ErrnoToStatus(errno, "eventfd");
  }
  reader->ring_ =
      ring_buffer__new(ring_buffer_fd, Deliver, reader.get(), nullptr);
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

int EventReader::Deliver(void *self, void *bytes, size_t size) {
  if (size >= sizeof(process_event)) {
    static_cast<EventReader *>(self)->on_event_(
        *static_cast<const process_event *>(bytes));
  }
  return 0;
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
