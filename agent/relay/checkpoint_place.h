// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/relay/checkpointed_stream.h"

namespace kith {

// CheckpointPlace is where a relay writes its positions.
struct CheckpointPlace {
  CheckpointEntry *sending = nullptr;
  CheckpointEntry *receiving = nullptr;
  CheckpointSecrets sending_secrets{};  // empty for plain relays
  CheckpointSecrets receiving_secrets{};
};

}  // namespace kith
