// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include <catch2/catch_test_macros.hpp>

#include "agent/grpc/grpc_connection.h"
#include "test/unit/workloadapi/api_fixture.h"

namespace kith {
namespace {

TEST_CASE_METHOD(ApiFixture, "stopping ends the streams, and says so") {
  GrpcClient client(path);
  const int32_t stream = client.Call("FetchX509SVID");
  client.AwaitMessages(stream, 1);
  api->Stop();
  api->NotifyChanged();
  const GrpcAnswer &answer = client.AwaitEnd(stream);
  CHECK(answer.code() == kUnavailable);
  CHECK(answer.text() == "the agent is stopping");
  CHECK(client.AwaitClose());
  CHECK(client.goaway() == NGHTTP2_NO_ERROR);
}

TEST_CASE_METHOD(ApiFixture,
                 "who does not read does not keep it from stopping") {
  GrpcClient deaf(path, 100);
  const int32_t stream = deaf.Call("FetchX509SVID");
  deaf.AwaitBytes(stream, 100);
  const FileDescriptor silent = ConnectUnix(path);
  const auto begin = std::chrono::steady_clock::now();
  api->Stop();
  // The bound, and as much again for a busy machine.
  CHECK(std::chrono::steady_clock::now() - begin <
        2 * GrpcConnection::kShutdownTime);
  CHECK(deaf.AwaitClose());
}

}  // namespace
}  // namespace kith
