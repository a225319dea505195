// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "agent/relay/single_buffer_conveyor.h"

namespace kith {

// OnIdle is told, each time a direction has nothing to carry, how many bytes it
// has carried so far: all of them are written then.
using OnIdle = std::function<void(uint64_t carried)>;

// CopyingConveyor carries bytes as they are, for flows that are not wrapped.
class CopyingConveyor final : public SingleBufferConveyor {
 public:
  CopyingConveyor(BufferPool &pool,
                  std::atomic<uint64_t> &bytes_read,
                  OnIdle on_idle)
      : SingleBufferConveyor(pool, bytes_read), on_idle_(std::move(on_idle)) {}

  LoadResult Load(int fd) override;
  void Rest() override;
  void Describe(KeptPosition &position) const override {
    position.carried = bytes_read();
  }

 private:
  void BeginKept(size_t length) override {
    if (kept_ != nullptr) {
      kept_->Begin(length, length);
    }
  }

  const OnIdle on_idle_;  // may be empty
};

}  // namespace kith
