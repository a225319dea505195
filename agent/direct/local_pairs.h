// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

#include "agent/flow/flow_permit.h"
#include "agent/flowtable/flow_table.h"
#include "kith/endpoint.h"

namespace kith {

// LocalConnection is an outer connection inside one network namespace.
struct LocalConnection {
  uint64_t netns_cookie = 0;
  Endpoint client;
  Endpoint server;

  bool operator<(const LocalConnection &other) const {
    const auto key = [](const LocalConnection &connection) {
      return std::tie(connection.netns_cookie,
                      connection.client.address,
                      connection.client.port,
                      connection.server.address,
                      connection.server.port);
    };
    return key(*this) < key(other);
  }
};

// Party is one end of a successful handshake, as its own flow knows it.
struct Party {
  std::shared_ptr<LiveFlow> flow;
  FlowPermit permit;       // names both parties
  ProcessFacts process{};  // as the hook saw it
};

// LocalPairs detects that both ends of a handshake are flows of this agent.
// Thread-safe.
class LocalPairs {
 public:
  // Both holds the two parties of a local pair.
  struct Both {
    Party client;
    Party server;
  };

  // Arrive enters the party, by the direction of its permit, until its flow
  // leaves. It returns both parties if the other one has arrived already.
  std::optional<Both> Arrive(const LocalConnection &connection, Party party);
  // Leave does nothing for a flow that has not arrived.
  void Leave(uint64_t flow);

 private:
  struct Met {
    std::optional<Party> client;
    std::optional<Party> server;
  };
  struct Place {
    LocalConnection connection;
    FlowDirection direction = FlowDirection::kOutbound;
  };

  std::mutex mutex_;
  std::map<LocalConnection, Met> met_;
  std::map<uint64_t, Place> places_;  // by flow
};

}  // namespace kith
