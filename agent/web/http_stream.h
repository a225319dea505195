// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <cstddef>
#include <string>

namespace kith {

// HttpStream adapts a connection, which reads and writes within time bounds, to
// cpp-httplib. The base class differs between the versions in Debian, hence no
// `override`.
template <typename Connection>
class HttpStream : public httplib::Stream {
 public:
  explicit HttpStream(Connection *connection) : connection_(connection) {}

  bool is_readable() const { return connection_->HasBuffered(); }
  bool is_writable() const { return wait_writable() && is_peer_alive(); }
  bool wait_readable() const { return connection_->WaitReadable(); }
  bool wait_writable() const { return connection_->WaitWritable(); }
  bool is_peer_alive() const {
    if constexpr (requires { connection_->IsPeerAlive(); }) {
      return connection_->IsPeerAlive();
    } else {
      return true;
    }
  }
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
  Connection *const connection_;
};

}  // namespace kith
