// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/single_buffer_conveyor.h"

#include <cstring>
#include <utility>

namespace kith {

void SingleBufferConveyor::Rest() {
  if (!has_pending()) {
    buffer_.Release();
  } else if (buffer_.size() > BufferPool::kSmall &&
             out_.iov_len <= BufferPool::kSmall) {
    Buffer small = pool_.TakeSmall();
    std::memcpy(small.data(), out_.iov_base, out_.iov_len);
    out_.iov_base = small.data();
    buffer_ = std::move(small);
  }
}

}  // namespace kith
