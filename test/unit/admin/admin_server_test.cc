// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "agent/admin/json_text.h"
#include "test/unit/admin/admin_fixture.h"
#include "test/unit/admin/raw_client.h"

namespace kith {
namespace {

constexpr char kEnd[] = " HTTP/1.1\r\nHost: kith\r\n\r\n";

std::string Get(const AdminFixture &admin, const std::string &target) {
  return Ask(admin.socket, "GET " + target + kEnd);
}

std::string Put(const AdminFixture &admin,
                const std::string &target,
                const std::string &body) {
  return Ask(admin.socket,
             absl::StrCat("PUT ",
                          target,
                          " HTTP/1.1\r\nHost: kith\r\nContent-Length: ",
                          body.size(),
                          "\r\n\r\n",
                          body));
}

bool HasStatus(const std::string &answer, int status) {
  return absl::StartsWith(answer, absl::StrCat("HTTP/1.1 ", status, " "));
}

TEST_CASE("documents are served") {
  AdminFixture admin;
  admin.view.status = ExampleStatus();
  admin.view.identities = {{ExampleIdentity(), SvidState{}}};
  admin.view.explanations[42] = ExampleExplanation(42);
  admin.Start();

  const std::string status = Get(admin, "/v1/status");
  CHECK(HasStatus(status, 200));
  CHECK(ParseJson(BodyOf(status))["trustDomain"] == "example.org");
  const Json identities = ParseJson(BodyOf(Get(admin, "/v1/identities")));
  CHECK(identities["identities"][0]["name"] == "demo/client");
  const Json explained = ParseJson(BodyOf(Get(admin, "/v1/explain?pid=42")));
  CHECK(explained["process"]["exe"] == "/usr/bin/curl");
}

TEST_CASE("flows are listed newest first, within the limit") {
  AdminFixture admin;
  admin.Start();
  std::vector<std::shared_ptr<LiveFlow>> open;
  FlowRecord record = ExampleFlow();
  record.state = FlowState::kOpen;
  for (int i = 0; i < 200; ++i) {
    open.push_back(admin.view.flows().Open(record));
  }
  admin.view.flows().Close(*open[0], CloseReason::kDialFailed, "refused");

  const std::string answer = Get(admin, "/v1/flows?limit=2");
  CHECK(absl::StrContains(answer, "\"total\":199}"));
  CHECK(absl::StrContains(answer, absl::StrCat("\"", open[199]->id(), "\"")));
  CHECK(absl::StrContains(answer, absl::StrCat("\"", open[198]->id(), "\"")));
  CHECK_FALSE(
      absl::StrContains(answer, absl::StrCat("\"", open[197]->id(), "\"")));
  const std::string closed = Get(admin, "/v1/flows?closed=1");
  CHECK(absl::StrContains(closed, "\"reason\":\"dial_failed\""));
  CHECK(absl::StrContains(closed, "\"total\":1}"));
}

TEST_CASE("what is asked wrongly is answered with one sentence") {
  AdminFixture admin;
  admin.Start();
  const struct {
    const char *target;
    int status;
    const char *error;
  } cases[] = {
      {"/v1/explain?pid=4242", 404, "no process 4242"},
      {"/v1/explain?pid=x", 400, "pid \\\"x\\\" is not a number"},
      {"/v1/explain?pid=-1", 400, "pid \\\"-1\\\" is not a number"},
      {"/v1/explain", 400, "parameter pid must be a process id"},
      {"/v1/flows?close=1", 400, "unknown parameter \\\"close\\\""},
      {"/v1/flows?limit=99999999999", 400, "is not a number"},
      {"/v1/trace?identity=http://a/b", 400, "\"error\""},
      {"/v1/trace?pd=1", 400, "unknown parameter \\\"pd\\\""},
      {"/v1/nothing", 404, "no such endpoint"},
      {"/../etc/passwd", 404, "no such endpoint"},
  };
  for (const auto &wrong : cases) {
    CAPTURE(wrong.target);
    const std::string answer = Get(admin, wrong.target);
    CHECK(HasStatus(answer, wrong.status));
    CHECK(absl::StrContains(BodyOf(answer), wrong.error));
    CHECK(ParseJson(BodyOf(answer)).is_object());
  }
}

TEST_CASE("the log level is changed, and who did it is audited") {
  AdminFixture admin;
  admin.Start();
  CHECK(HasStatus(Put(admin, "/v1/log-level", R"({"level":"debug"})"), 200));
  CHECK(admin.view.log_level() == "debug");
  const std::vector<std::string> audit = admin.audit();
  REQUIRE(audit.size() == 1);
  CHECK(audit[0] == absl::StrCat("log level set to debug by pid ",
                                 getpid(),
                                 ", uid ",
                                 geteuid(),
                                 ", gid ",
                                 getegid()));
}

TEST_CASE("a wrong change changes nothing, and is audited") {
  AdminFixture admin;
  admin.Start();
  for (const char *body : {"",
                           "{",
                           "[]",
                           "\"debug\"",
                           R"({"level":7})",
                           R"({"level":"loud"})",
                           R"({"lvl":"debug"})",
                           "{\"level\":\"\xff\"}"}) {
    CAPTURE(body);
    CHECK(HasStatus(Put(admin, "/v1/log-level", body), 400));
  }
  CHECK(admin.view.log_level() == "info");
  CHECK(admin.audit().size() == 8);
}

TEST_CASE("a body over the bound is refused") {
  AdminFixture admin;
  admin.Start();
  const std::string answer =
      Put(admin, "/v1/log-level", std::string(1'000'000, 'a'));
  CHECK((answer.empty() || HasStatus(answer, 413)));
  CHECK(admin.view.log_level() == "info");
  CHECK(HasStatus(Get(admin, "/v1/status"), 200));
}

TEST_CASE("endless headers are refused") {
  AdminFixture admin;
  admin.Start();
  RawClient client(admin.socket);
  REQUIRE(client.Send("GET /v1/status HTTP/1.1\r\n"));
  const std::string header = "x: " + std::string(4000, 'a') + "\r\n";
  // The server stops reading, so that the sends end in an error.
  size_t sent = 0;
  while (sent < 100'000'000 && client.Send(header)) {
    sent += header.size();
  }
  CHECK(sent < 100'000'000);
  CHECK(HasStatus(Get(admin, "/v1/status"), 200));
}

TEST_CASE("bytes that are no HTTP are refused") {
  AdminFixture admin;
  admin.Start();
  const std::string noise(300, '\0');
  const std::string answer = Ask(admin.socket, noise + "\r\n\r\n");
  CHECK((answer.empty() || HasStatus(answer, 400)));
  CHECK(HasStatus(Get(admin, "/v1/status"), 200));
}

TEST_CASE("clients that drip a request hold a thread for a bounded time") {
  AdminFixture admin;
  admin.Start();
  std::vector<std::unique_ptr<RawClient>> slow;
  // More than there are threads: two rounds of the deadline.
  for (int i = 0; i < 24; ++i) {
    slow.push_back(std::make_unique<RawClient>(admin.socket));
    REQUIRE(slow.back()->Send("GET /v1/sta"));
  }
  const auto began = std::chrono::steady_clock::now();
  CHECK(HasStatus(Get(admin, "/v1/status"), 200));
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
}

TEST_CASE("a slow client does not hold up the end of the agent") {
  AdminFixture admin;
  admin.Start();
  RawClient slow(admin.socket);
  REQUIRE(slow.Send("GET /v1/sta"));
  const auto began = std::chrono::steady_clock::now();
  admin.server.reset();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(4));
  CHECK_FALSE(RawClient(admin.socket).connected());
}

}  // namespace
}  // namespace kith
