// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "agent/relay/checkpointed_stream.h"

namespace kith {

// CheckpointPlace is where the positions of a relay are kept.
struct CheckpointPlace {
  CheckpointEntry *sending = nullptr;
  CheckpointEntry *receiving = nullptr;
  CheckpointSecrets sending_secrets{};  // empty for plain relays
  CheckpointSecrets receiving_secrets{};
};

// CheckpointFacts are what does not change of a relay that is kept.
struct CheckpointFacts {
  struct Tls {
    uint16_t suite = 0;
    bool peer_is_server = false;
    bool in_kernel = false;  // what is sent
    bool can_rekey = false;
    uint32_t read_secret = 0;   // lengths
    uint32_t write_secret = 0;  // 0: wiped
  };
  int inner = -1;  // descriptors of the relay
  int outer = -1;
  std::optional<Tls> tls;
};

}  // namespace kith
