// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/handshake/tls_stream.h"
#include "agent/relay/checkpoint_place.h"
#include "agent/relay/conveyor.h"
#include "agent/runtime/file_descriptor.h"

namespace kith {

// RelayState is a relay as it passes to another process: two sockets and what
// of their bytes this process has read but not written yet.
struct RelayState {
  struct Side {
    FileDescriptor socket;
    bool broken = false;  // reset, or given up by TCP
    int error = 0;        // errno, where one was seen
  };
  struct Direction {
    bool ended = false;        // its FIN is passed on
    LoadResult load;           // the last one
    ConveyorState conveyor{};  // what `load` has left to be written
  };

  Side inner;
  Side outer;
  Direction sending;                    // inner to outer
  Direction receiving;                  // outer to inner
  std::optional<TlsStream::State> tls;  // nullopt: plain

  // Of a relay whose process has died: the rest of the directions is as the
  // kernel has it.
  struct Kept {
    CheckpointPosition sending;
    CheckpointPosition receiving;
    CheckpointPlace place;  // where they are kept on
  };
  std::optional<Kept> kept;
};

// RelayOutline is what another process must know of a relay that goes on here,
// beside the positions: its descriptors, which are borrowed, and its stream
// without the secrets.
struct RelayOutline {
  int inner = -1;
  int outer = -1;
  std::optional<TlsStream::State> tls;  // nullopt: plain
};

}  // namespace kith
