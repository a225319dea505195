// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace kith {

// OuterSockets watches that sockets which were given to TLS send TLS records
// only. Thread-safe.
class OuterSockets {
 public:
  virtual ~OuterSockets() = default;

  // WatchOuter lets the connected socket, which has not sent anything yet,
  // send TLS records only. `flow` comes back in Datapath::Options::on_not_tls.
  // Does nothing where outer_watch() is not OK.
  virtual absl::Status WatchOuter(int socket, uint64_t flow) = 0;
  // outer_watch tells whether sockets are watched since Start, or why not.
  virtual absl::Status outer_watch() const = 0;
};

}  // namespace kith
