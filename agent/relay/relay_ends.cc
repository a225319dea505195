// SPDX-License-Identifier: Apache-2.0
// How the end of one socket becomes the end of the flow.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/relay/flow_relay.h"
#include "agent/relay/socket_end.h"

namespace kith {

using asio::error_code;

void FlowRelay::Watch(const std::shared_ptr<FlowRelay> &self, Side &side) {
  side.socket.async_wait(TcpSocket::wait_error,
                         [self, &side](error_code closed) {
                           if (!closed && !self->over_) {
                             self->OnErrorEvent(self, side);
                           }
                         });
}

// A reset must be noticed even while nothing reads the socket, because the
// other side is slow or this one has sent its FIN.
void FlowRelay::OnErrorEvent(const std::shared_ptr<FlowRelay> &self,
                             Side &side) {
  int fd = side.socket.native_handle();
  pollfd event{.fd = fd, .events = POLLPRI, .revents = 0};
  if (poll(&event, 1, 0) < 0 || (event.revents & POLLERR) != 0) {
    return Break(side, 0);
  }
  if ((event.revents & POLLPRI) != 0 && !TakeUrgent(side)) {
    return;
  }
  // Either may be missing: an event of a socket that was closed within the same
  // turn of the loop can reach the next socket.
  if ((event.revents & POLLHUP) == 0) {
    Watch(self, side);
  }
}

// TakeUrgent returns whether the flow continues after urgent data.
bool FlowRelay::TakeUrgent(Side &side) {
  if (tls_ != nullptr && &side == &outer_) {
    // A host on the path marked a segment, and a record would lose the byte.
    End(CloseReason::kTlsError, "urgent data on a TLS connection");
    return false;
  }
  // An unread urgent byte would wake the relay for ever. Its receiver would
  // have to read it out of band, which hardly any program does.
  std::array<char, 1> urgent;
  (void)recv(side.socket.native_handle(),
             urgent.data(),
             urgent.size(),
             MSG_OOB | MSG_DONTWAIT);
  return true;
}

void FlowRelay::Break(Side &side, int error) {
  side.broken = true;
  if (error != 0) {
    side.error = error;
  }
  // Bytes that have already arrived are still valid (a TLS alert, a last
  // answer): an active reader takes them, finds the end, and ends the flow.
  if (side.reading != Side::Reading::kActive) {
    EndBroken(side);
  }
}

void FlowRelay::EndBroken(Side &side) {
  if (side.error == 0) {
    socklen_t length = sizeof(side.error);
    (void)getsockopt(side.socket.native_handle(),
                     SOL_SOCKET,
                     SO_ERROR,
                     &side.error,
                     &length);
  }
  int error = side.error == 0 ? ECONNRESET : side.error;
  End(side.reset_reason, absl::StrCat(side.name, ": ", std::strerror(error)));
}

void FlowRelay::End(CloseReason reason, std::string detail, uint8_t alert) {
  if (std::exchange(over_, true)) {
    return;
  }
  end_ = {.reason = reason, .detail = std::move(detail)};
  if (alert != 0) {
    // An alert must not be inside a half-written record.
    if (!sending_.conveyor->has_pending()) {
      sending_.conveyor->SendAlert(outer_.socket.native_handle(), alert);
    }
    CloseSocket(outer_.socket);
  } else {
    ResetSocket(outer_.socket);
  }
  ResetSocket(inner_.socket);
}

}  // namespace kith
