// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

#include "agent/flowtable/flow_table.h"
#include "agent/revocation/flow_permits.h"
#include "kith/endpoint.h"

namespace kith {

// LocalConnection is an outer connection inside one network namespace.
struct LocalConnection {
  uint64_t netns_cookie = 0;
  Endpoint client;
  Endpoint server;

  bool operator<(const LocalConnection &other) const {
    const auto key = [](const LocalConnection &point) {
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

// LocalPairs finds out whether both ends of a handshake are flows of this
// agent. Thread-safe.
class LocalPairs {
 public:
  // Entry keeps a party findable.
  class Entry {
   public:
    Entry(LocalPairs &meetings, LocalConnection point, FlowDirection direction)
        : pairs_(meetings), point_(point), direction_(direction) {}
    Entry(const Entry &) = delete;
    Entry &operator=(const Entry &) = delete;
    ~Entry() { pairs_.Leave(point_, direction_); }

   private:
    LocalPairs &pairs_;
    const LocalConnection point_;
    const FlowDirection direction_;
  };

  // Both are the two parties when the second one has come.
  struct Both {
    Party client;
    Party server;
  };

  // Arrive enters the party, by the direction of its permit, until Entry ends.
  std::unique_ptr<Entry> Arrive(const LocalConnection &point,
                               Party party,
                               std::optional<Both> &both);

 private:
  struct Met {
    std::optional<Party> client;
    std::optional<Party> server;
  };
  void Leave(const LocalConnection &point, FlowDirection direction);

  std::mutex mutex_;
  std::map<LocalConnection, Met> met_;
};

}  // namespace kith
