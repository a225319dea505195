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

// RelayState is a relay as it is exported to another process: two sockets, and
// the bytes that this process has read but not written yet.
struct RelayState {
  struct Side {
    FileDescriptor socket;
    bool broken = false;  // reset, or TCP gave it up
    int error = 0;        // errno, if one was seen
  };
  struct Direction {
    bool ended = false;        // its FIN was passed on
    LoadResult load;           // the last one
    ConveyorState conveyor{};  // what `load` left to write
  };

  Side inner;
  Side outer;
  Direction sending;                    // inner to outer
  Direction receiving;                  // outer to inner
  std::optional<TlsStream::State> tls;  // nullopt: plain

  // Kept belongs to a relay whose process died: the kernel has the rest of the
  // state of both directions.
  struct Kept {
    CheckpointPosition sending;
    CheckpointPosition receiving;
    CheckpointPlace place;  // where positions are written from now on
  };
  std::optional<Kept> kept;
};

// RelayOutline is what another process must know of a relay that continues
// here, beside the positions: its borrowed descriptors, and its stream without
// the secrets.
struct RelayOutline {
  int inner = -1;
  int outer = -1;
  std::optional<TlsStream::State> tls;  // nullopt: plain
};

}  // namespace kith
