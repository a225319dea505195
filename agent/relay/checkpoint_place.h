// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/relay/checkpointed_stream.h"

namespace kith {

// CheckpointPlace is where the positions of a relay are kept.
struct CheckpointPlace {
  CheckpointEntry *sending = nullptr;
  CheckpointEntry *receiving = nullptr;
  CheckpointSecrets sending_secrets{};  // empty for plain relays
  CheckpointSecrets receiving_secrets{};
};

}  // namespace kith
