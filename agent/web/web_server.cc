// SPDX-License-Identifier: Apache-2.0
#include "agent/web/web_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/runtime/file_descriptor.h"
#include "agent/runtime/log.h"
#include "agent/web/http_listener.h"
#include "agent/web/web_connection.h"

namespace kith {
namespace {

constexpr int kBacklog = 64;
// GET requests have no body.
constexpr size_t kMaxBody = 4096;

absl::StatusOr<FileDescriptor> Listen(const Endpoint &endpoint) {
  sockaddr_storage address{};
  const socklen_t size = endpoint.ToSockaddr(address);
  FileDescriptor fd(
      socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
  const int on = 1;
  if (!fd.valid() ||
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd.get(), reinterpret_cast<sockaddr *>(&address), size) != 0 ||
      listen(fd.get(), kBacklog) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot listen on ", endpoint.ToString()));
  }
  return fd;
}

absl::StatusOr<Endpoint> LocalEndpoint(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) != 0) {
    return absl::ErrnoToStatus(errno, "getsockname");
  }
  return Endpoint::FromSockaddr(address);
}

absl::StatusOr<bssl::UniquePtr<SSL>> ServerTls(const WebServer::Options &of) {
  if (of.tls == nullptr) {
    return nullptr;
  }
  auto context = of.tls();
  if (!context.ok()) {
    return context.status();
  }
  bssl::UniquePtr<SSL> ssl(SSL_new(context->get()));
  if (ssl == nullptr) {
    return absl::ResourceExhaustedError("no memory for TLS");
  }
  SSL_set_accept_state(ssl.get());
  return ssl;
}

// DocumentListener answers with the documents, over TLS if configured.
class DocumentListener final : public HttpListener {
 public:
  DocumentListener(int listener, int stop_fd, const WebServer::Options &options)
      : HttpListener(
            listener, WebServer::kThreads, WebServer::kMaxWaiting, kMaxBody),
        stop_fd_(stop_fd),
        options_(options) {
    set_pre_routing_handler(
        [this](const httplib::Request &request, httplib::Response &response) {
          Answer(request, response);
          return HandlerResponse::Handled;
        });
  }

 private:
  void Answer(const httplib::Request &request, httplib::Response &response) {
    const auto found = options_.documents.find(request.path);
    if (found == options_.documents.end() ||
        (request.method != "GET" && request.method != "HEAD")) {
      response.status = found == options_.documents.end() ? 404 : 405;
      return;
    }
    auto document = found->second();
    response.status = document.ok() ? 200 : 503;
    if (document.ok()) {
      response.set_content(*document, "application/json");
    }
  }

  bool Serve(FileDescriptor fd) override {
    (void)fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    auto tls = ServerTls(options_);
    if (!tls.ok()) {
      Log(LogLevel::kError,
          "no certificate to serve with",
          {{"listen", options_.listen.ToString()},
           {"error", tls.status().message()}});
      return false;
    }
    WebConnection connection(
        fd.get(), *std::move(tls), IoDeadline(WebServer::kPatience, stop_fd_));
    if (!connection.Handshake().ok()) {
      return false;
    }
    HttpStream<WebConnection> stream(&connection);
    const bool answered = Process(stream, [](httplib::Request &) {});
    connection.End();
    return answered;
  }

  const int stop_fd_;
  const WebServer::Options &options_;
};

class Running final : public WebServer {
 public:
  Running(FileDescriptor listener, FileDescriptor stop, Options options)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        stop_(std::move(stop)),
        server_(listener_.get(), stop_.get(), options_) {
    server_.Start();
  }

  ~Running() override {
    (void)eventfd_write(stop_.get(), 1);
    server_.Stop();
  }

  Endpoint endpoint() const override { return options_.listen; }

 private:
  const Options options_;
  const FileDescriptor listener_;
  const FileDescriptor stop_;
  DocumentListener server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Create(Options options) {
  auto listener = Listen(options.listen);
  if (!listener.ok()) {
    return listener.status();
  }
  auto endpoint = LocalEndpoint(listener->get());
  FileDescriptor stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!endpoint.ok() || !stop.valid()) {
    return endpoint.ok() ? absl::ErrnoToStatus(errno, "eventfd")
                         : endpoint.status();
  }
  options.listen = *endpoint;
  return std::make_unique<Running>(
      *std::move(listener), std::move(stop), std::move(options));
}

}  // namespace kith
