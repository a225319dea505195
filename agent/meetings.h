// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

#include "agent/flow/flow_table.h"
#include "agent/flow_permits.h"
#include "kith/endpoint.h"

namespace kith {

// MeetingPoint is an outer connection inside one network namespace.
struct MeetingPoint {
  uint64_t netns_cookie = 0;
  Endpoint client;
  Endpoint server;

  bool operator<(const MeetingPoint &other) const {
    const auto key = [](const MeetingPoint &point) {
      return std::tie(point.netns_cookie,
                      point.client.address,
                      point.client.port,
                      point.server.address,
                      point.server.port);
    };
    return key(*this) < key(other);
  }
};

// Party is one end of a handshake that has succeeded, by its own flow.
struct Party {
  std::shared_ptr<LiveFlow> flow;
  FlowPermit permit;        // with both parties
  process_facts process{};  // as the hook saw it
};

// Meetings finds out whether both ends of a handshake are flows of this agent.
// Thread-safe.
class Meetings {
 public:
  // Stay keeps a party findable.
  class Stay {
   public:
    Stay(Meetings &meetings, MeetingPoint point, FlowDirection direction)
        : meetings_(meetings), point_(point), direction_(direction) {}
    Stay(const Stay &) = delete;
    Stay &operator=(const Stay &) = delete;
    ~Stay() { meetings_.Leave(point_, direction_); }

   private:
    Meetings &meetings_;
    const MeetingPoint point_;
    const FlowDirection direction_;
  };

  // Both are the two parties when the second one has come.
  struct Both {
    Party client;
    Party server;
  };

  // Arrive enters the party, by the direction of its permit, until Stay ends.
  std::unique_ptr<Stay> Arrive(const MeetingPoint &point,
                               Party party,
                               std::optional<Both> &both);

 private:
  struct Met {
    std::optional<Party> client;
    std::optional<Party> server;
  };
  void Leave(const MeetingPoint &point, FlowDirection direction);

  std::mutex mutex_;
  std::map<MeetingPoint, Met> met_;
};

}  // namespace kith
