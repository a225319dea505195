// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/copying_conveyor.h"

#include <sys/socket.h>

#include <cerrno>

namespace kith {

using Kind = LoadResult::Kind;

LoadResult CopyingConveyor::Load(int fd) {
  TakeBuffer();
  ssize_t count = recv(fd, buffer().data(), buffer().size(), MSG_DONTWAIT);
  if (count == 0) {
    return {.kind = Kind::kEnd};
  }
  if (count < 0) {
    return errno == EAGAIN ? LoadResult{.kind = Kind::kEmpty}
                           : LoadResult{.kind = Kind::kError, .error = errno};
  }
  size_t length = static_cast<size_t>(count);
  CountRead(length);
  SetPending(0, length);
  return {.kind = length == buffer().size() ? Kind::kMore : Kind::kDrained};
}

void CopyingConveyor::Rest() {
  SingleBufferConveyor::Rest();
  if (on_idle_ && !has_pending()) {
    on_idle_(bytes_read());
  }
}

}  // namespace kith
