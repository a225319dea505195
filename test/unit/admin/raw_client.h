// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "agent/runtime/file_descriptor.h"

namespace kith {

// RawClient speaks bytes, not HTTP, to a Unix socket, as a hostile client may.
class RawClient {
 public:
  explicit RawClient(const std::string &socket_path);

  bool connected() const { return connected_; }
  // Send returns false once the other side has closed.
  bool Send(std::string_view bytes);
  // Receive returns everything up to the end, or up to `until`.
  std::string Receive(std::string_view until = {});
  void Close() { fd_.Reset(); }

 private:
  FileDescriptor fd_;
  bool connected_ = false;
  std::string received_;
};

// Ask returns the whole answer to one request.
std::string Ask(const std::string &socket_path, std::string_view request);

// BodyOf returns what follows the headers.
std::string BodyOf(const std::string &answer);

}  // namespace kith
