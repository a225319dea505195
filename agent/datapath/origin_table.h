// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/datapath/bpf_maps.h"
#include "agent/datapath/datapath.h"
#include "kith/endpoint.h"

namespace kith {

// OriginTable reads the original destinations of captured connections.
// Thread-safe.
class OriginTable {
 public:
  explicit OriginTable(std::shared_ptr<BpfMaps> maps)
      : maps_(std::move(maps)) {}

  // Find returns NotFound if no hook saw the connection.
  absl::StatusOr<FlowOrigin> Find(uint64_t netns_cookie,
                                  const Endpoint &listener,
                                  const Endpoint &application) const;
  // List returns the rows of these flows; Enter writes rows back to the maps.
  struct Row {
    flow_tuple tuple{};
    uint64_t cookie = 0;
    captured_socket record{};
  };
  std::vector<Row> List(const std::vector<Datapath::Outbound> &flows) const;
  void Enter(const std::vector<Row> &rows);

  void Forget(uint64_t netns_cookie,
              const Endpoint &listener,
              const Endpoint &application);

 private:
  std::shared_ptr<BpfMaps> maps_;
};

}  // namespace kith
