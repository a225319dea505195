// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/interrupt_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "absl/log/check.h"

namespace kith {

InterruptWatch::InterruptWatch(std::function<void()> on_interrupt)
    : on_interrupt_(std::move(on_interrupt)) {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGINT);
  sigaddset(&watched, SIGTERM);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &watched, &previous_), 0);
  signals_.Reset(signalfd(-1, &watched, SFD_CLOEXEC));
  end_.Reset(eventfd(0, EFD_CLOEXEC));
  PCHECK(signals_.valid() && end_.valid());
  thread_ = std::thread([this] { Wait(); });
}

InterruptWatch::~InterruptWatch() {
  (void)eventfd_write(end_.get(), 1);
  thread_.join();
  (void)pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void InterruptWatch::Wait() {
  pollfd fds[] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                  {.fd = end_.get(), .events = POLLIN, .revents = 0}};
  while (poll(fds, 2, -1) < 0) {
  }
  signalfd_siginfo received;
  if (fds[0].revents != 0 &&
      read(signals_.get(), &received, sizeof(received)) > 0) {
    on_interrupt_();
  }
}

}  // namespace kith
