// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/flowtable/close_reason.h"
#include "kith/endpoint.h"

namespace kith {

enum class FlowDirection { kOutbound, kInbound };
enum class FlowState { kHolding, kAttesting, kHandshaking, kOpen, kClosed };
enum class FlowMode { kUndecided, kMtls, kPlaintext, kPassthrough, kDenied };
enum class FlowPath { kNone, kKtls, kUserspace, kDirect };

// PathName returns the stable name: "none", "ktls", "userspace", "direct".
std::string_view PathName(FlowPath path);

// FlowRecord is a flow as `kith flows` shows it (architecture.md, "Interfaces
// of the one binary"). Empty strings and nullopt are absent facts.
struct FlowRecord {
  struct Process {
    uint32_t pid = 0;
    uint64_t start_time_ns = 0;  // since boot
    std::string name;
    std::string cmdline;
    std::string cgroup;
  };
  struct Party {
    std::string spiffe_id;
    std::string svid_serial;
    std::optional<std::chrono::system_clock::time_point> svid_expires;
    std::string svid_authority = {};  // key identifier of the signing authority
  };
  struct Tls {
    std::string version;
    std::string cipher;
    std::string group;
    std::string alpn;
  };
  // Durations of the steps; nullopt for a step that did not happen.
  struct Timing {
    std::optional<std::chrono::microseconds> hold;
    std::optional<std::chrono::microseconds> attest;
    std::optional<std::chrono::microseconds> dial;
    std::optional<std::chrono::microseconds> handshake;
    std::optional<std::chrono::microseconds> total;  // connect to open
  };

  uint64_t id = 0;
  FlowDirection direction = FlowDirection::kOutbound;
  FlowState state = FlowState::kHolding;
  FlowMode mode = FlowMode::kUndecided;
  FlowPath path = FlowPath::kNone;
  Process process;
  Party local;
  Party peer;
  std::optional<Endpoint> client;
  std::optional<Endpoint> destination;
  std::optional<Tls> tls;
  std::string rule;
  uint64_t bytes_sent = 0;      // application to peer
  uint64_t bytes_received = 0;  // peer to application
  std::chrono::system_clock::time_point opened_at;
  std::optional<std::chrono::system_clock::time_point> closed_at;
  CloseReason reason = CloseReason::kNone;
  std::string detail;  // of the reason: errno, alert, rule
  Timing timing;
};

}  // namespace kith
