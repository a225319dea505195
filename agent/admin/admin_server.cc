// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "agent/admin/admin_api.h"
#include "agent/admin/admin_routes.h"
#include "agent/admin/ca_routes.h"
#include "agent/admin/http_server.h"
#include "agent/admin/jwt_key_routes.h"
#include "agent/runtime/unix_listener.h"

namespace kith {
namespace {

class HttpAdminServer : public AdminServer {
 public:
  explicit HttpAdminServer(std::unique_ptr<HttpServer> server)
      : server_(std::move(server)) {}

 private:
  const std::unique_ptr<HttpServer> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Create(
    Options options, AgentView *view) {
  const gid_t group = FindGroup(options.group).value_or(0);
  auto listener = UnixListener::Create(
      options.socket_path, {.group = group, .replace = options.replace});
  if (!listener.ok()) {
    return listener.status();
  }
  std::vector<AdminRoute> routes = AdminRoutes(view, options.on_audit);
  if (options.ca != nullptr) {
    std::ranges::move(CaRoutes(options.ca, options.on_audit),
                      std::back_inserter(routes));
    std::ranges::move(JwtKeyRoutes(options.ca, options.on_audit),
                      std::back_inserter(routes));
  }
  auto server = HttpServer::Create(
      *std::move(listener),
      std::move(routes),
      {.group = group, .stream_threads = TraceHub::kMaxSubscribers});
  if (!server.ok()) {
    return server.status();
  }
  return std::make_unique<HttpAdminServer>(*std::move(server));
}

}  // namespace kith
