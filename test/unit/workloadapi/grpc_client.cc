// SPDX-License-Identifier: Apache-2.0
#include "test/unit/workloadapi/grpc_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

constexpr std::chrono::seconds kLong{30};  // never spent
constexpr size_t kPrefix = 5;

std::string_view Text(const uint8_t *bytes, size_t length) {
  return {reinterpret_cast<const char *>(bytes), length};
}

void SplitMessages(GrpcAnswer &answer) {
  while (answer.body.size() >= kPrefix) {
    uint32_t length = 0;
    memcpy(&length, answer.body.data() + 1, sizeof length);
    length = ntohl(length);
    if (answer.body.size() < kPrefix + length) {
      return;
    }
    answer.messages.push_back(answer.body.substr(kPrefix, length));
    answer.body.erase(0, kPrefix + length);
  }
}

}  // namespace

FileDescriptor ConnectUnix(const std::string &path) {
  FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(connect(fd.get(),
                  reinterpret_cast<const sockaddr *>(&address),
                  sizeof(address)) == 0);
  return fd;
}

std::string WithPrefix(std::string_view message, char flag) {
  const uint32_t length = htonl(static_cast<uint32_t>(message.size()));
  std::string text(1, flag);
  text.append(reinterpret_cast<const char *>(&length), sizeof length);
  return text.append(message);
}

struct GrpcClient::Callbacks {
  static GrpcClient &Self(void *self) {
    return *static_cast<GrpcClient *>(self);
  }
  static int OnHeader(nghttp2_session *,
                      const nghttp2_frame *frame,
                      const uint8_t *name,
                      size_t name_length,
                      const uint8_t *value,
                      size_t value_length,
                      uint8_t,
                      void *self) {
    Self(self)
        .answers_.at(frame->hd.stream_id)
        ->headers.emplace(Text(name, name_length), Text(value, value_length));
    return 0;
  }
  static int OnData(nghttp2_session *,
                    uint8_t,
                    int32_t stream,
                    const uint8_t *bytes,
                    size_t length,
                    void *self) {
    GrpcAnswer &answer = *Self(self).answers_.at(stream);
    answer.body.append(Text(bytes, length));
    SplitMessages(answer);
    return 0;
  }
  static int OnFrame(nghttp2_session *,
                     const nghttp2_frame *frame,
                     void *self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      Self(self).goaway_ = frame->goaway.error_code;
    }
    return 0;
  }
  static int OnClose(nghttp2_session *,
                     int32_t stream,
                     uint32_t error,
                     void *self) {
    GrpcAnswer &answer = *Self(self).answers_.at(stream);
    answer.closed = true;
    answer.error = error;
    return 0;
  }
  static ssize_t ReadBody(nghttp2_session *,
                          int32_t,
                          uint8_t *buffer,
                          size_t length,
                          uint32_t *flags,
                          nghttp2_data_source *source,
                          void *) {
    auto *body = static_cast<std::pair<std::string, bool> *>(source->ptr);
    const size_t taken = std::min(length, body->first.size());
    memcpy(buffer, body->first.data(), taken);
    body->first.erase(0, taken);
    if (body->first.empty()) {
      if (!body->second && taken == 0) {
        return NGHTTP2_ERR_DEFERRED;
      }
      *flags |= body->second ? NGHTTP2_DATA_FLAG_EOF : 0;
    }
    return static_cast<ssize_t>(taken);
  }
};

GrpcClient::GrpcClient(const std::string &path, uint32_t window)
    : socket_(ConnectUnix(path)) {
  nghttp2_session_callbacks *callbacks = nullptr;
  REQUIRE(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                            Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         Callbacks::OnClose);
  REQUIRE(nghttp2_session_client_new(&session_, callbacks, this) == 0);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                        window};
  REQUIRE(nghttp2_submit_settings(
              session_, NGHTTP2_FLAG_NONE, &entry, window == 0 ? 0 : 1) == 0);
}

GrpcClient::~GrpcClient() {
  nghttp2_session_del(session_);
}

GrpcClient::Fields GrpcClient::FieldsOf(const std::string &method) {
  return {{":method", "POST"},
          {":scheme", "http"},
          {":path", "/SpiffeWorkloadAPI/" + method},
          {":authority", "localhost"},
          {"content-type", "application/grpc"},
          {"te", "trailers"},
          {"workload.spiffe.io", "true"}};
}

int32_t GrpcClient::Call(const Fields &fields, std::string body, bool end) {
  std::vector<nghttp2_nv> list;
  const auto bytes = [](const std::string &text) {
    return const_cast<uint8_t *>(
        reinterpret_cast<const uint8_t *>(text.data()));
  };
  for (const auto &[name, value] : fields) {
    list.push_back({bytes(name), bytes(value), name.size(), value.size(), 0});
  }
  requests_.push_back({std::move(body), end});
  nghttp2_data_provider provider{};
  provider.source.ptr = &requests_.back();
  provider.read_callback = Callbacks::ReadBody;
  const int32_t stream = nghttp2_submit_request(
      session_, nullptr, list.data(), list.size(), &provider, nullptr);
  REQUIRE(stream > 0);
  answers_[stream] = std::make_unique<GrpcAnswer>();
  bodies_[stream] = &requests_.back();
  Flush();
  return stream;
}

void GrpcClient::SendMore(int32_t stream, std::string body, bool end) {
  auto &unsent = *bodies_.at(stream);
  unsent.first += body;
  unsent.second = end;
  REQUIRE(nghttp2_session_resume_data(session_, stream) == 0);
  Flush();
}

void GrpcClient::Cancel(int32_t stream) {
  REQUIRE(nghttp2_submit_rst_stream(
              session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL) == 0);
  Flush();
}

void GrpcClient::Flush() {
  for (;;) {
    const uint8_t *bytes = nullptr;
    const ssize_t length = nghttp2_session_mem_send(session_, &bytes);
    if (length <= 0) {
      return;
    }
    if (send(socket_.get(), bytes, static_cast<size_t>(length), MSG_NOSIGNAL) !=
        length) {
      open_ = false;
      return;
    }
  }
}

bool GrpcClient::Pump(std::chrono::steady_clock::time_point time) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      time - std::chrono::steady_clock::now());
  pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  if (left.count() <= 0 ||
      poll(&readable, 1, static_cast<int>(left.count())) <= 0) {
    return false;
  }
  std::array<uint8_t, 65536> buffer;
  const ssize_t length = recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (length <= 0) {
    open_ = false;
    return false;
  }
  REQUIRE(nghttp2_session_mem_recv(
              session_, buffer.data(), static_cast<size_t>(length)) == length);
  Flush();
  return true;
}

void GrpcClient::Await(const std::function<bool()> &done) {
  const auto time = std::chrono::steady_clock::now() + kLong;
  while (!done()) {
    if (!Pump(time)) {
      break;
    }
  }
}

const GrpcAnswer &GrpcClient::AwaitEnd(int32_t stream) {
  const GrpcAnswer &answer = at(stream);
  Await([&answer] { return answer.closed; });
  CHECK(answer.closed);
  return answer;
}

const GrpcAnswer &GrpcClient::AwaitMessages(int32_t stream, size_t count) {
  const GrpcAnswer &answer = at(stream);
  Await([&answer, count] {
    return answer.closed || answer.messages.size() >= count;
  });
  CHECK(answer.messages.size() >= count);
  return answer;
}

void GrpcClient::AwaitBytes(int32_t stream, size_t count) {
  const GrpcAnswer &answer = at(stream);
  Await([&answer, count] { return answer.body.size() >= count; });
  REQUIRE(answer.body.size() >= count);
}

void GrpcClient::OpenWindow(int32_t stream, int32_t bytes) {
  REQUIRE(nghttp2_session_set_local_window_size(
              session_, NGHTTP2_FLAG_NONE, stream, bytes) == 0);
  Flush();
}

bool GrpcClient::AwaitClose() {
  Await([this] { return !open_; });
  return !open_;
}

}  // namespace kith
