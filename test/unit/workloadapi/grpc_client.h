// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/runtime/file_descriptor.h"
#include <nghttp2/nghttp2.h>

namespace kith {

// ConnectUnix returns a connected blocking socket.
FileDescriptor ConnectUnix(const std::string &path);

// WithPrefix returns a message with the prefix of gRPC.
std::string WithPrefix(std::string_view message, char flag = 0);

// GrpcAnswer is what a server has said on one stream so far.
struct GrpcAnswer {
  std::map<std::string, std::string> headers;  // trailers too
  std::string body;
  std::vector<std::string> messages;  // complete ones, without their prefixes
  bool closed = false;
  uint32_t error = 0;  // of RST_STREAM

  // code returns grpc-status; -1: there is none.
  int code() const {
    const auto found = headers.find("grpc-status");
    return found == headers.end() ? -1 : std::stoi(found->second);
  }
  std::string text() const {
    const auto found = headers.find("grpc-message");
    return found == headers.end() ? "" : found->second;
  }
};

// GrpcClient is one HTTP/2 connection of a client. It blocks, and reads only
// while somebody awaits something.
class GrpcClient {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  explicit GrpcClient(const std::string &path, uint32_t window = 0);
  ~GrpcClient();
  GrpcClient(const GrpcClient &) = delete;
  GrpcClient &operator=(const GrpcClient &) = delete;

  // FieldsOf returns the headers of an ordinary call.
  static Fields FieldsOf(const std::string &method);

  // Call sends a request; `body` has its prefix already. Returns the stream.
  int32_t Call(const Fields &fields, std::string body, bool end = true);
  int32_t Call(const std::string &method, std::string_view message = "") {
    return Call(FieldsOf(method), WithPrefix(message));
  }
  // SendMore sends another message of a call that was begun with `end` false.
  void SendMore(int32_t stream, std::string body, bool end = false);
  void Cancel(int32_t stream);

  // AwaitEnd returns the answer when the stream is closed, AwaitMessages when
  // there are `count` messages or the stream is closed.
  const GrpcAnswer &AwaitEnd(int32_t stream);
  const GrpcAnswer &AwaitMessages(int32_t stream, size_t count);
  // AwaitBytes returns when `count` bytes of unfinished messages are there.
  void AwaitBytes(int32_t stream, size_t count);
  // OpenWindow allows the server to send `bytes` more.
  void OpenWindow(int32_t stream, int32_t bytes);
  const GrpcAnswer &at(int32_t stream) { return *answers_.at(stream); }
  // AwaitClose returns when the server has closed the connection.
  bool AwaitClose();
  // goaway returns the error of the server's GOAWAY, if it has sent one.
  std::optional<uint32_t> goaway() const { return goaway_; }
  // Flush writes what is to be sent, and reads nothing.
  void Flush();

 private:
  struct Callbacks;

  // Pump reads once, until `time`; false: nothing more comes.
  bool Pump(std::chrono::steady_clock::time_point time);
  void Await(const std::function<bool()> &done);

  FileDescriptor socket_;
  nghttp2_session *session_ = nullptr;
  std::map<int32_t, std::unique_ptr<GrpcAnswer>> answers_;
  // Bodies that are being sent, and whether the request ends with them.
  std::list<std::pair<std::string, bool>> requests_;
  std::map<int32_t, std::pair<std::string, bool> *> bodies_;  // by stream
  bool open_ = true;
  std::optional<uint32_t> goaway_;
};

}  // namespace kith
