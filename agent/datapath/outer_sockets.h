// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace kith {

// OuterSockets enforces that outer sockets under TLS send TLS records only.
// Thread-safe.
class OuterSockets {
 public:
  virtual ~OuterSockets() = default;

  // WatchOuter restricts a connected socket that has not sent anything yet to
  // TLS records. Datapath::Options::on_not_tls is called with `flow`.
  // WatchOuter does nothing if outer_watch() is not OK.
  virtual absl::Status WatchOuter(int socket, uint64_t flow) = 0;
  // outer_watch returns OK if sockets are watched since Start, or why not.
  virtual absl::Status outer_watch() const = 0;
};

}  // namespace kith
