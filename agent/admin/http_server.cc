// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/http_server.h"

#include <errno.h>
#include <httplib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"

#include "agent/admin/peer_credentials.h"
#include "agent/admin/unix_connection.h"
#include "agent/web/http_listener.h"

namespace kith {
namespace {

// Delay until a stream notices that the agent stops or its reader has left.
constexpr std::chrono::milliseconds kStreamTick{200};

// AdminListener checks the caller before a request is routed.
class AdminListener final : public HttpListener {
 public:
  AdminListener(int listener, int stop_fd, const HttpServer::Options &options)
      : HttpListener(listener,
                     HttpServer::kAnswerThreads + options.stream_threads,
                     HttpServer::kMaxWaiting,
                     HttpServer::kMaxBody),
        stop_fd_(stop_fd),
        group_(options.group) {
    set_tcp_nodelay(false);  // a Unix socket has no such option
    set_pre_routing_handler(RefuseStranger);
    set_error_handler(DescribeError);
  }

  void Route(const AdminRoute &route, const httplib::Server::Handler &answer) {
    if (route.method == "PUT") {
      Put(route.path, answer);
    } else {
      Get(route.path, answer);
    }
  }

 private:
  bool Serve(FileDescriptor fd) override {
    // Empty for a caller that is refused.
    std::string caller;
    if (auto peer = ReadPeerCredentials(fd.get());
        peer.ok() && MayUseAdminApi(*peer, geteuid(), group_)) {
      caller = peer->ToString();
    }
    UnixConnection connection(std::move(fd), stop_fd_);
    HttpStream<UnixConnection> stream(&connection);
    return Process(stream, [&caller](httplib::Request &request) {
      request.remote_addr = caller;
    });
  }

  static HandlerResponse RefuseStranger(const httplib::Request &request,
                                        httplib::Response &response) {
    if (!request.remote_addr.empty()) {
      return HandlerResponse::Unhandled;
    }
    response.status = 403;
    response.set_content("{\"error\":\"caller is not in the admin group\"}",
                         "application/json");
    return HandlerResponse::Handled;
  }

  // DescribeError adds the body to errors of cpp-httplib itself.
  static void DescribeError(const httplib::Request &,
                            httplib::Response &response) {
    if (!response.body.empty()) {
      return;
    }
    const char *text = response.status == 404   ? "no such endpoint"
                       : response.status == 413 ? "request body is too large"
                                                : "malformed request";
    response.set_content(std::string("{\"error\":\"") + text + "\"}",
                         "application/json");
  }

  const int stop_fd_;
  const gid_t group_;
};

class Running : public HttpServer {
 public:
  Running(UnixListener listener, FileDescriptor stop, Options options)
      : listener_(std::move(listener)),
        stop_(std::move(stop)),
        server_(listener_.fd(), stop_.get(), options) {}

  ~Running() override {
    stopping_ = true;
    (void)eventfd_write(stop_.get(), 1);
    server_.Stop();
  }

  void Start(std::vector<AdminRoute> routes) {
    for (AdminRoute &route : routes) {
      server_.Route(route,
                    [this, route](const httplib::Request &request,
                                  httplib::Response &response) {
                      Answer(route, request, response);
                    });
    }
    server_.Start();
  }

 private:
  void Answer(const AdminRoute &route,
              const httplib::Request &request,
              httplib::Response &response) {
    AdminRequest asked;
    asked.parameters.insert(request.params.begin(), request.params.end());
    asked.body = request.body;
    asked.caller = request.remote_addr;
    AdminReply reply = route.answer(asked);
    response.status = reply.status;
    if (reply.stream == nullptr) {
      response.set_content(std::move(reply.body), "application/json");
      return;
    }
    std::shared_ptr<ReplyStream> stream = std::move(reply.stream);
    response.set_chunked_content_provider(
        "application/json", [this, stream](size_t, httplib::DataSink &sink) {
          return SendAll(*stream, sink);
        });
  }

  // SendAll returns false if the reader has left.
  bool SendAll(ReplyStream &stream, httplib::DataSink &sink) {
    while (!stopping_) {
      const std::optional<std::string> piece = stream.Next(kStreamTick);
      if (!piece) {
        break;
      }
      const bool alive = piece->empty()
                             ? sink.is_writable()
                             : sink.write(piece->data(), piece->size());
      if (!alive) {
        return false;
      }
    }
    sink.done();
    return true;
  }

  UnixListener listener_;
  const FileDescriptor stop_;
  std::atomic<bool> stopping_{false};
  AdminListener server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Create(
    UnixListener listener, std::vector<AdminRoute> routes, Options options) {
  FileDescriptor stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop.valid()) {
    return absl::ErrnoToStatus(errno, "eventfd");
  }
  auto server =
      std::make_unique<Running>(std::move(listener), std::move(stop), options);
  server->Start(std::move(routes));
  return server;
}

}  // namespace kith
