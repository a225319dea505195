// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kith {

// AdminRequest is one request, without the details of HTTP.
struct AdminRequest {
  std::map<std::string, std::string> parameters;  // of the query
  std::string body;
  std::string caller;  // for the audit: "pid 12, uid 0, gid 0"
};

// ReplyStream produces a reply while it is sent. Used by one thread.
class ReplyStream {
 public:
  virtual ~ReplyStream() = default;
  // Next returns the next bytes, "" if none come before `deadline`, and nullopt
  // at the end.
  virtual std::optional<std::string> Next(
      std::chrono::milliseconds deadline) = 0;
};

// AdminReply is a body or a stream of JSON.
struct AdminReply {
  int status = 200;  // of HTTP (RFC 9110 section 15)
  std::string body;
  std::unique_ptr<ReplyStream> stream;
};

// AdminRoute answers one method of one path. `answer` is thread-safe.
struct AdminRoute {
  std::string method;
  std::string path;
  std::function<AdminReply(const AdminRequest &)> answer;
};

}  // namespace kith
