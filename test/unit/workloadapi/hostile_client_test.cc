// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/socket.h>

#include <fstream>
#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "agent/grpc/grpc_headers.h"
#include "agent/grpc/grpc_message.h"
#include "agent/grpc/grpc_transport.h"
#include "agent/identity/certificate.h"
#include "test/unit/workloadapi/api_fixture.h"

namespace kith {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Works tells whether the server still serves others.
bool Works(const std::string &path) {
  GrpcClient client(path);
  return client.AwaitMessages(client.Call("FetchX509SVID"), 1)
             .messages.size() == 1;
}

// Closes returns whether the server ends a connection that says `text`.
bool Closes(const std::string &path, std::string_view text) {
  const FileDescriptor socket = ConnectUnix(path);
  (void)send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  REQUIRE(
      setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) ==
      0);
  std::string buffer(65536, '\0');
  for (;;) {
    const ssize_t length = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (length <= 0) {
      return length == 0 || errno == ECONNRESET;
    }
  }
}

size_t ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::stoul(line.substr(6));
    }
  }
  return 0;
}

TEST_CASE_METHOD(ApiFixture, "what is not HTTP/2 is cut off") {
  CHECK(Closes(path, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(Closes(path,
               "\x16\x03\x01\x02\x01\x01\x01\x01\x01\x01\x01\x01\x01"
               "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"));
  // A frame that is longer than SETTINGS_MAX_FRAME_SIZE.
  CHECK(Closes(path, std::string(kPreface) + std::string(64, '\xff')));
  CHECK(Works(path));
}

TEST_CASE_METHOD(ApiFixture, "random bytes do no harm") {
  std::mt19937 random(7);  // the same bytes in each run
  for (int round = 0; round < 200; ++round) {
    std::string text(kPreface);
    // An empty SETTINGS frame, so that the connection is greeted.
    text.append("\0\0\0\4\0\0\0\0\0", 9);
    for (int frame = 0; frame < 8; ++frame) {
      const size_t length = random() % 64;
      text.append({'\0', '\0', static_cast<char>(length)});
      text.push_back(static_cast<char>(random() % 10));  // its type
      text.push_back(static_cast<char>(random()));       // its flags
      text.append({'\0', '\0', '\0', static_cast<char>(random() % 8)});
      for (size_t i = 0; i < length; ++i) {
        text.push_back(static_cast<char>(random()));
      }
    }
    const FileDescriptor socket = ConnectUnix(path);
    (void)send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    REQUIRE(shutdown(socket.get(), SHUT_WR) == 0);
    std::string buffer(65536, '\0');
    while (recv(socket.get(), buffer.data(), buffer.size(), 0) > 0) {
    }
  }
  CHECK(Works(path));
}

TEST_CASE_METHOD(ApiFixture, "calls that break gRPC's rules are answered") {
  GrpcClient client(path);
  const auto code = [&](std::string body) {
    return client
        .AwaitEnd(
            client.Call(GrpcClient::FieldsOf("FetchX509SVID"), std::move(body)))
        .code();
  };
  CHECK(code("") == kUnimplemented);  // no request at all
  CHECK(code(WithPrefix("") + WithPrefix("")) == kUnimplemented);
  CHECK(code(WithPrefix("", 1)) == kUnimplemented);  // compressed
  CHECK(code(WithPrefix("", 2)) == kInternal);
  CHECK(code(WithPrefix("\x0f\xff\xff")) == kInternal);  // no protobuf
  CHECK(code("\0\0") == kUnimplemented);
  CHECK(code(std::string("\0\0\0", 3)) == kInternal);
  CHECK(code(WithPrefix("abc").substr(0, 6)) == kInternal);
  CHECK(code(WithPrefix(std::string(GrpcRequest::kMaxBytes + 1, 'a'))) ==
        kResourceExhausted);
  CHECK(code(WithPrefix(std::string(1 << 20, 'a'))) == kResourceExhausted);
  CHECK(client.AwaitEnd(client.Call("FetchWITSVID")).code() == kUnimplemented);
  CHECK(
      client.AwaitEnd(client.Call("FetchJWTSVID", "\x0a\x02\xff\xff")).code() ==
      kInternal);  // no UTF-8
  // The connection has survived all that.
  CHECK(client.AwaitMessages(client.Call("FetchX509SVID"), 1).messages.size() ==
        1);
}

TEST_CASE_METHOD(ApiFixture, "calls that are not gRPC are answered in HTTP") {
  GrpcClient client(path);
  const auto status = [&](size_t field, const char *value) {
    GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
    fields[field].second = value;
    return client.AwaitEnd(client.Call(fields, WithPrefix("")))
        .headers.at(":status");
  };
  CHECK(status(0, "GET") == "405");
  CHECK(status(4, "text/html") == "415");
  CHECK(status(4, "application/grpcx") == "415");
  GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
  fields[4].second = "application/grpc+proto";
  CHECK(client.AwaitMessages(client.Call(fields, WithPrefix("")), 1)
            .headers.at(":status") == "200");
}

TEST_CASE_METHOD(ApiFixture, "deadlines are kept") {
  GrpcClient client(path);
  GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
  fields.emplace_back("grpc-timeout", "50m");
  const GrpcAnswer &answer =
      client.AwaitEnd(client.Call(fields, WithPrefix("")));
  CHECK(answer.code() == kDeadlineExceeded);
  fields.back().second = "soon";
  CHECK(client.AwaitEnd(client.Call(fields, WithPrefix(""))).code() ==
        kInvalidArgument);
}

TEST_CASE_METHOD(ApiFixture, "a thousand idle streams of one connection") {
  GrpcClient client(path);
  std::vector<int32_t> streams;
  for (int i = 0; i < 1000; ++i) {
    streams.push_back(client.Call("FetchX509SVID"));
  }
  for (const int32_t stream : streams) {
    REQUIRE(client.AwaitMessages(stream, 1).messages.size() == 1);
  }
  source.Rotate();
  api->NotifyChanged();
  for (const int32_t stream : streams) {
    REQUIRE(client.AwaitMessages(stream, 2).messages.size() == 2);
  }
  // They share what is sent, and who the caller is.
  CHECK(source.identified() < 100);
}

TEST_CASE_METHOD(ApiFixture, "a thousand connections with a stream each") {
  rlimit files{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
  std::vector<std::unique_ptr<GrpcClient>> clients;
  std::vector<int32_t> streams;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(std::make_unique<GrpcClient>(path));
    streams.push_back(clients.back()->Call("FetchX509SVID"));
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    REQUIRE(clients[i]->AwaitMessages(streams[i], 1).messages.size() == 1);
  }
  source.Rotate();
  api->NotifyChanged();
  for (size_t i = 0; i < clients.size(); ++i) {
    REQUIRE(clients[i]->AwaitMessages(streams[i], 2).messages.size() == 2);
  }
}

TEST_CASE_METHOD(ApiFixture, "more streams than the bound wait for a place") {
  GrpcClient client(path);
  std::vector<int32_t> streams;
  for (uint32_t i = 0; i < GrpcTransport::kMaxStreams + 1; ++i) {
    streams.push_back(client.Call("FetchX509SVID"));
  }
  for (uint32_t i = 0; i < GrpcTransport::kMaxStreams; ++i) {
    client.AwaitMessages(streams[i], 1);
  }
  CHECK(client.at(streams.back()).messages.empty());
  client.Cancel(streams.front());
  CHECK(client.AwaitMessages(streams.back(), 1).messages.size() == 1);
}

TEST_CASE_METHOD(ApiFixture, "a slow reader misses old states only") {
  // The peer allows 100 bytes: the first message stays unfinished.
  GrpcClient client(path, 100);
  GrpcClient witness(path);
  const int32_t watched = witness.Call("FetchX509SVID");
  const int32_t stream = client.Call("FetchX509SVID");
  witness.AwaitMessages(watched, 1);
  const std::string first = source.svid()->serial();
  client.AwaitBytes(stream, 100);
  for (size_t i = 2; i < 40; ++i) {
    source.Rotate();
    api->NotifyChanged();
    witness.AwaitMessages(watched, i);
  }
  client.OpenWindow(stream, 1 << 20);
  const GrpcAnswer &answer = client.AwaitMessages(stream, 2);
  REQUIRE(answer.messages.size() == 2);
  const auto serial_of = [](const std::string &message) {
    const std::string der = SvidIn(message).x509_svid();
    return SerialOf(ParseCertificate(Der(der.begin(), der.end()))->get());
  };
  CHECK(serial_of(answer.messages[0]) == first);
  CHECK(serial_of(answer.messages[1]) == source.svid()->serial());
}

TEST_CASE_METHOD(ApiFixture, "who never reads does not make the server grow") {
  const FileDescriptor deaf = ConnectUnix(path);
  std::string flood(kPreface);
  flood.append("\0\0\0\4\0\0\0\0\0", 9);
  for (int i = 0; i < 4096; ++i) {
    flood.append("\0\0\10\6\0\0\0\0\0kithkith", 17);  // PING
  }
  const size_t before = ResidentKib();
  const timeval limit{.tv_sec = 0, .tv_usec = 200'000};
  REQUIRE(setsockopt(
              deaf.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
  size_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    const ssize_t length =
        send(deaf.get(), flood.data(), flood.size(), MSG_NOSIGNAL);
    if (length <= 0) {
      break;  // cut off, or not read any more
    }
    sent += static_cast<size_t>(length);
    flood.erase(0, kPreface.size());
  }
  CHECK(sent < (size_t{8} << 20));
  CHECK(ResidentKib() < before + 8192);
  CHECK(Works(path));
}

// Nobody reads the first answer, so that the others wait for theirs.
TEST_CASE_METHOD(ApiFixture, "requests that wait are bounded by their bytes") {
  GrpcClient client(path, 1);
  GrpcClient::Fields fields = GrpcClient::FieldsOf("");
  fields[2].second =
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const auto ask = [](size_t bytes) {
    // list_services, with a text of 128 to 16,383 bytes.
    return WithPrefix(std::string("\x3a") +
                      static_cast<char>((bytes & 0x7f) | 0x80) +
                      static_cast<char>(bytes >> 7) + std::string(bytes, 'x'));
  };
  const int32_t stream = client.Call(fields, ask(900), false);
  client.AwaitBytes(stream, 1);
  client.SendMore(stream, ask(500) + ask(600));
  client.OpenWindow(stream, 1 << 20);
  const GrpcAnswer &answer = client.AwaitEnd(stream);
  CHECK(answer.code() == kResourceExhausted);
  CHECK(answer.text().find("requests without an answer: 2") == 0);
}

TEST_CASE_METHOD(ApiFixture, "streams that are opened and reset do no harm") {
  GrpcClient client(path);
  for (int i = 0; i < 500; ++i) {
    client.Cancel(client.Call("FetchX509SVID"));
  }
  CHECK(client.AwaitMessages(client.Call("FetchX509SVID"), 1).messages.size() ==
        1);
  CHECK(Works(path));
}

TEST_CASE_METHOD(ApiFixture, "an answer may come before the request's end") {
  GrpcClient client(path);
  GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
  fields[4].second = "text/html";
  const GrpcAnswer &answer =
      client.AwaitEnd(client.Call(fields, WithPrefix("abc"), false));
  CHECK(answer.headers.at(":status") == "415");
  CHECK(answer.error == NGHTTP2_NO_ERROR);
}

}  // namespace
}  // namespace kith
