// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/http_server.h"

#include <errno.h>
#include <httplib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "absl/status/status.h"

#include "agent/admin/peer_credentials.h"
#include "agent/admin/unix_connection.h"
#include "agent/web/http_threads.h"

namespace kith {
namespace {

// How soon a stream notices that the agent stops or its reader has left.
constexpr std::chrono::milliseconds kStreamTick{200};

// ConnectionStream is a UnixConnection as cpp-httplib wants it. Its base class
// differs between the versions that Debian has, hence no `override`.
class ConnectionStream : public httplib::Stream {
 public:
  explicit ConnectionStream(UnixConnection *connection)
      : connection_(connection) {}

  bool is_readable() const { return connection_->HasBuffered(); }
  bool is_writable() const { return wait_writable() && is_peer_alive(); }
  bool wait_readable() const { return connection_->WaitReadable(); }
  bool wait_writable() const { return connection_->WaitWritable(); }
  bool is_peer_alive() const { return connection_->IsPeerAlive(); }
  using httplib::Stream::write;
  ssize_t read(char *into, size_t size) {
    return connection_->Read(into, size);
  }
  ssize_t write(const char *from, size_t size) {
    return connection_->Write(from, size);
  }
  void get_remote_ip_and_port(std::string &, int &) const {}
  void get_local_ip_and_port(std::string &, int &) const {}
  socket_t socket() const { return connection_->fd(); }
  time_t duration() const { return 0; }

 private:
  UnixConnection *const connection_;
};

// UnixHttpServer lets cpp-httplib parse and route, and keeps the sockets in its
// own hands: what listens is already bound, and who calls is checked.
class UnixHttpServer : public httplib::Server {
 public:
  UnixHttpServer(int listener, int stop_fd, gid_t group)
      : stop_fd_(stop_fd), group_(group) {
    svr_sock_ = listener;
  }

  // StopListening makes listen_after_bind() return, also where it has not
  // begun. The descriptor stays open, so that its number cannot be reused
  // while the listening thread may still look at it.
  void StopListening() {
    if (const int fd = svr_sock_.exchange(INVALID_SOCKET); fd >= 0) {
      (void)::shutdown(fd, SHUT_RDWR);
    }
  }

 private:
  bool process_and_close_socket(socket_t fd) override {
    UnixConnection connection(FileDescriptor(fd), stop_fd_);
    // Empty for a caller that is refused.
    std::string caller;
    if (auto peer = ReadPeerCredentials(fd);
        peer.ok() && MayUseAdminApi(*peer, geteuid(), group_)) {
      caller = peer->ToString();
    }
    ConnectionStream stream(&connection);
    return Process(stream, [&caller](httplib::Request &request) {
      request.remote_addr = caller;
    });
  }

  template <typename Setup>
  bool Process(ConnectionStream &stream, Setup setup) {
    bool closed = false;
    if constexpr (requires {
                    this->process_request(
                        stream, "", 0, "", 0, true, closed, setup);
                  }) {
      return process_request(stream, "", 0, "", 0, true, closed, setup);
    } else {
      return process_request(stream, true, closed, setup);
    }
  }

  const int stop_fd_;
  const gid_t group_;
};

class Running : public HttpServer {
 public:
  Running(UnixListener listener, FileDescriptor stop, Options options)
      : listener_(std::move(listener)),
        stop_(std::move(stop)),
        server_(listener_.fd(), stop_.get(), options.group) {
    server_.new_task_queue = [options] {
      return NewHttpThreads(kAnswerThreads + options.stream_threads,
                            kMaxWaiting);
    };
    server_.set_tcp_nodelay(false);  // a Unix socket has no such option
    server_.set_payload_max_length(kMaxBody);
    server_.set_pre_routing_handler(RefuseStranger);
    server_.set_error_handler(DescribeError);
  }

  ~Running() override {
    stopping_ = true;
    (void)eventfd_write(stop_.get(), 1);
    server_.StopListening();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  void Start(std::vector<AdminRoute> routes) {
    for (AdminRoute &route : routes) {
      auto answer = [this, route](const httplib::Request &request,
                                  httplib::Response &response) {
        Answer(route, request, response);
      };
      if (route.method == "PUT") {
        server_.Put(route.path, answer);
      } else {
        server_.Get(route.path, answer);
      }
    }
    thread_ = std::thread([this] { (void)server_.listen_after_bind(); });
  }

 private:
  static httplib::Server::HandlerResponse RefuseStranger(
      const httplib::Request &request, httplib::Response &response) {
    if (!request.remote_addr.empty()) {
      return httplib::Server::HandlerResponse::Unhandled;
    }
    response.status = 403;
    response.set_content("{\"error\":\"caller is not in the admin group\"}",
                         "application/json");
    return httplib::Server::HandlerResponse::Handled;
  }

  // What cpp-httplib refused by itself has no body yet.
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

  // SendAll returns false where the reader has left.
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
  UnixHttpServer server_;
  std::thread thread_;
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
