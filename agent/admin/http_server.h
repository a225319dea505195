// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/admin/admin_reply.h"
#include "agent/runtime/unix_listener.h"

namespace kith {

// HttpServer answers HTTP/1.1 requests on a Unix socket by a table of routes,
// on threads of its own. One request a connection. Callers that are neither
// root, the agent's user nor in the group get 403.
class HttpServer {
 public:
  // Requests are a line, a few headers and at most one small JSON object.
  static constexpr size_t kMaxBody = 4096;
  // Threads for requests that end, beside one for each trace that may run.
  static constexpr size_t kAnswerThreads = 4;
  // Connections that wait for a thread; more are closed.
  static constexpr size_t kMaxWaiting = 64;

  struct Options {
    gid_t group = 0;            // whose members may call
    size_t stream_threads = 0;  // streams that may run at once
  };

  static absl::StatusOr<std::unique_ptr<HttpServer>> Create(
      UnixListener listener, std::vector<AdminRoute> routes, Options options);
  virtual ~HttpServer() = default;  // ends the streams, joins the threads
};

}  // namespace kith
