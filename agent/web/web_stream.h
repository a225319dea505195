// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include "agent/web/web_connection.h"

namespace kith {

// WebStream is a WebConnection as cpp-httplib wants it. Its base class differs
// between the versions that Debian has, hence no `override`.
class WebStream : public httplib::Stream {
 public:
  explicit WebStream(WebConnection *connection) : connection_(connection) {}

  bool is_readable() const { return connection_->HasBuffered(); }
  bool is_writable() const { return connection_->WaitWritable(); }
  bool wait_readable() const { return connection_->WaitReadable(); }
  bool wait_writable() const { return connection_->WaitWritable(); }
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
  WebConnection *const connection_;
};

}  // namespace kith
