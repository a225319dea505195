// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

#include "agent/handshake/record_reader.h"

namespace kith {

// CheckpointPosition is the progress of one direction of a kept flow, as the
// journal has it. Bytes are counted as the kernel counts those of the two
// sockets (tcp_position.h). A chunk is what was read (peeked) from the source
// and is being written to the target; the source keeps it until all of it is
// written.
struct CheckpointPosition {
  enum class Phase : uint8_t {
    kFlowing,
    kFinishing,  // the source has ended; only the chunk may be left to write
    kEnded,      // the FIN was passed on
  };

  uint64_t source = 0;       // taken from the source
  uint64_t discard = 0;      // further bytes already written: take them
  uint64_t target = 0;       // written to the target before the chunk
  uint64_t sequence = 0;     // number of the next record, at the chunk's begin
  uint64_t carried = 0;      // the flow's own count of bytes, likewise
  uint64_t sent_by_key = 0;  // by the kernel's TLS, under the present key
  uint32_t source_chunk = 0;
  uint32_t target_chunk = 0;
  uint32_t generation = 0;  // of the key: how often it was changed
  Phase phase = Phase::kFlowing;
  // Flags; other processes may have written any value into this memory.
  uint8_t exact = 1;       // false: in a step that nobody can resume
  uint8_t key_update = 0;  // the chunk begins with a KeyUpdate

  uint8_t update_requested = 0;  // by the peer, for the other direction
  ReaderProgress progress;       // of the records that the agent opens
};
static_assert(std::is_trivially_copyable_v<CheckpointPosition>);

}  // namespace kith
