// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "absl/strings/match.h"
#include <catch2/catch_test_macros.hpp>

#include "test/unit/admin/admin_fixture.h"
#include "test/unit/admin/raw_client.h"

namespace kith {
namespace {

constexpr char kTrace[] = "GET /v1/trace HTTP/1.1\r\nHost: kith\r\n\r\n";

TEST_CASE("events are sent as they happen, one line each") {
  AdminFixture admin;
  admin.Start();
  RawClient client(admin.socket);
  REQUIRE(client.Send(kTrace));
  REQUIRE(admin.view.observed_trace().AwaitSubscribers(1));
  admin.view.trace().Publish(ExampleEvent("connect", 1));
  CHECK(absl::StrContains(client.Receive("}\n"), "\"step\":\"connect\""));
  admin.view.trace().Publish(ExampleEvent("attest", 1));
  CHECK(absl::StrContains(client.Receive("}\n"), "\"step\":\"attest\""));
}

TEST_CASE("only the flows that were asked for are sent") {
  AdminFixture admin;
  admin.Start();
  RawClient client(admin.socket);
  REQUIRE(client.Send("GET /v1/trace?pid=43 HTTP/1.1\r\nHost: kith\r\n\r\n"));
  REQUIRE(admin.view.observed_trace().AwaitSubscribers(1));
  admin.view.trace().Publish(ExampleEvent("connect", 1));  // of pid 42
  TraceEvent wanted = ExampleEvent("connect", 2);
  wanted.flow.process.pid = 43;
  admin.view.trace().Publish(wanted);
  const std::string first = client.Receive("}\n");
  CHECK(absl::StrContains(first, "\"id\":\"2\""));
  CHECK_FALSE(absl::StrContains(first, "\"id\":\"1\""));
}

TEST_CASE("a trace ends when its reader leaves, also on a quiet node") {
  AdminFixture admin;
  admin.Start();
  RawClient client(admin.socket);
  REQUIRE(client.Send(kTrace));
  REQUIRE(admin.view.observed_trace().AwaitSubscribers(1));
  client.Close();
  CHECK(admin.view.observed_trace().AwaitSubscribers(0));
}

TEST_CASE("a trace ends in order when the agent stops") {
  AdminFixture admin;
  admin.Start();
  RawClient client(admin.socket);
  REQUIRE(client.Send(kTrace));
  REQUIRE(admin.view.observed_trace().AwaitSubscribers(1));
  admin.view.trace().Publish(ExampleEvent("connect", 1));
  (void)client.Receive("}\n");
  const auto began = std::chrono::steady_clock::now();
  admin.server.reset();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(4));
  // The last chunk of chunked coding (RFC 9112 section 7.1).
  CHECK(absl::EndsWith(client.Receive(), "0\r\n\r\n"));
}

TEST_CASE("a reader that does not read blocks nobody and is given up") {
  AdminFixture admin;
  admin.Start();
  RawClient client(admin.socket);
  REQUIRE(client.Send(kTrace));
  REQUIRE(admin.view.observed_trace().AwaitSubscribers(1));
  const auto began = std::chrono::steady_clock::now();
  for (uint64_t id = 0; id < 2 * TraceHub::kMaxQueued; ++id) {
    admin.view.trace().Publish(ExampleEvent("connect", id));
  }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(4));
  CHECK(admin.view.observed_trace().AwaitSubscribers(0));
}

TEST_CASE("a full house of traces leaves room for questions") {
  AdminFixture admin;
  admin.Start();
  std::vector<std::unique_ptr<RawClient>> readers;
  for (size_t i = 0; i < TraceHub::kMaxSubscribers; ++i) {
    readers.push_back(std::make_unique<RawClient>(admin.socket));
    REQUIRE(readers.back()->Send(kTrace));
  }
  REQUIRE(
      admin.view.observed_trace().AwaitSubscribers(TraceHub::kMaxSubscribers));
  const std::string refused = Ask(admin.socket, kTrace);
  CHECK(absl::StartsWith(refused, "HTTP/1.1 503 "));
  CHECK(absl::StrContains(refused, "traces are in use"));
  CHECK(absl::StartsWith(
      Ask(admin.socket, "GET /v1/status HTTP/1.1\r\nHost: kith\r\n\r\n"),
      "HTTP/1.1 200 "));
}

}  // namespace
}  // namespace kith
