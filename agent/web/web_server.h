// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/web/web_tls.h"
#include "kith/endpoint.h"

namespace kith {

// WebServer serves a few JSON documents by GET, on threads of its own. One
// request a connection.
class WebServer {
 public:
  static constexpr size_t kThreads = 4;
  // Connections that wait for a thread; more are closed.
  static constexpr size_t kMaxWaiting = 64;
  // For the handshake, the request and the answer together.
  static constexpr std::chrono::milliseconds kPatience{5'000};

  struct Options {
    Endpoint listen;
    // Called for each connection, so that a renewed certificate is used at
    // once. Null: plaintext, for a loopback address only.
    std::function<absl::StatusOr<WebTls>()> tls;
    // The documents by path. An error is answered with 503.
    std::map<std::string, std::function<absl::StatusOr<std::string>()>>
        documents;
  };

  // Create listens. The error names the address.
  static absl::StatusOr<std::unique_ptr<WebServer>> Create(Options options);
  virtual ~WebServer() = default;  // stops, joins

  // endpoint returns the listening address, with the port chosen for port 0.
  virtual Endpoint endpoint() const = 0;
};

}  // namespace kith
