// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "agent/handshake/tls_stream.h"
#include "agent/relay/kernel_record.h"
#include "agent/relay/single_buffer_conveyor.h"

namespace kith {

// KernelReceivingConveyor carries the peer's bytes, which the kernel opens, to
// the application, and handles the control records among them.
class KernelReceivingConveyor final : public SingleBufferConveyor {
 public:
  KernelReceivingConveyor(BufferPool &pool,
                          TlsStream &stream,
                          std::atomic<uint64_t> &bytes_read)
      : SingleBufferConveyor(pool, bytes_read), stream_(stream) {}

  LoadResult Load(int fd) override;

 private:
  LoadResult Take(int fd, const ReceivedRecord &received);
  LoadResult TakeControl(int fd);

  TlsStream &stream_;
  int least_ = 1;  // see WaitForMoreThanQueued
};

}  // namespace kith
