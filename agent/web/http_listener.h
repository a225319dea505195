// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>
#include <sys/socket.h>

#include <cstddef>
#include <thread>
#include <utility>

#include "agent/runtime/file_descriptor.h"
#include "agent/web/http_stream.h"
#include "agent/web/http_threads.h"

namespace kith {

// HttpListener uses cpp-httplib as a parser and owns the sockets: the listening
// socket is bound already, and a subclass checks and bounds each connection.
// One request a connection, on threads of its own.
class HttpListener : protected httplib::Server {
 public:
  // `listener` is borrowed. Connections that wait for a thread beyond `waiting`
  // are closed; requests have bodies of at most `max_body` bytes.
  HttpListener(int listener, size_t threads, size_t waiting, size_t max_body) {
    svr_sock_ = listener;
    new_task_queue = [threads, waiting] {
      return NewHttpThreads(threads, waiting);
    };
    set_payload_max_length(max_body);
  }
  HttpListener(const HttpListener &) = delete;
  HttpListener &operator=(const HttpListener &) = delete;
  ~HttpListener() override = default;

  void Start() {
    thread_ = std::thread([this] { (void)listen_after_bind(); });
  }

  // Stop returns when no connection is served any more, also if Start was not
  // called. A subclass must call it before its destruction. The descriptor
  // stays open, so that its number is not reused while the listening thread may
  // still use it.
  void Stop() {
    if (const int fd = svr_sock_.exchange(INVALID_SOCKET); fd >= 0) {
      (void)::shutdown(fd, SHUT_RDWR);
    }
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 protected:
  // Serve handles an accepted connection; returns whether Process answered its
  // request.
  virtual bool Serve(FileDescriptor connection) = 0;

  // Process reads a request and answers it; `setup` may complete the request
  // before routing.
  template <typename Setup>
  bool Process(httplib::Stream &stream, Setup setup) {
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

 private:
  bool process_and_close_socket(socket_t fd) final {
    return Serve(FileDescriptor(fd));
  }

  std::thread thread_;
};

}  // namespace kith
