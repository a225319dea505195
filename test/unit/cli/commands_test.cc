// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <fstream>

#include "absl/strings/match.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "test/unit/cli/cli_fixture.h"

namespace kith {
namespace {

using absl::StrContains;

TEST_CASE("status is told in words and as JSON") {
  CliFixture cli;
  cli.view.status = ExampleStatus();
  cli.Start();
  const CliRun text = cli.Ask({"status"});
  CHECK(text.code == 0);
  CHECK(text.err.empty());
  CHECK(StrContains(text.out, "trust domain  example.org\n"));
  CHECK(StrContains(text.out, "path          userspace, links pinned\n"));
  CHECK(StrContains(text.out, "outer watch   on\n"));
  CHECK(StrContains(text.out, "flows         1 open, 1,234 since the start"));
  CHECK(StrContains(text.out, "web.yaml:3: unknown key"));
  CHECK(StrContains(text.out, "dial_failed      3\n"));
  CHECK_FALSE(StrContains(text.out, "agent_away"));  // counters that are 0
  CHECK_FALSE(StrContains(text.out, "\x1b"));

  const CliRun json = cli.Ask({"status", "--json"});
  CHECK(json.code == 0);
  CHECK(json.json()["flows"]["closed"]["dial_failed"] == 3);
}

TEST_CASE("status and doctor say why outer sockets are not watched") {
  CliFixture cli;
  cli.view.status = ExampleStatus();
  cli.view.status.outer_watch =
      absl::FailedPreconditionError("the root cgroup");
  cli.Start();
  CHECK(StrContains(cli.Ask({"status"}).out,
                    "outer watch   off: the root cgroup\n"));
  const Json status = cli.Ask({"status", "--json"}).json();
  CHECK(status["outerWatch"] == false);
  CHECK(status["outerWatchError"] == "the root cgroup");
  CHECK(StrContains(cli.Ask({"doctor"}).out,
                    "outer sockets are not watched: the root cgroup\n"));
}

TEST_CASE("identities show who has an SVID and who has none") {
  CliFixture cli;
  SvidState state;
  state.last_error = absl::UnavailableError("issuer is away");
  cli.view.identities = {{ExampleIdentity(), state}};
  cli.Start();
  const CliRun text = cli.Ask({"identities"});
  CHECK(text.code == 0);
  CHECK(StrContains(text.out, "spiffe://example.org/demo/client  PERMISSIVE"));
  CHECK(StrContains(text.out, "issuer is away"));
  CHECK(
      cli.Ask({"identities", "--json"}).json()["identities"][0]["svidError"] ==
      "issuer is away");
}

TEST_CASE("flows show the open ones, and the closed ones with reasons") {
  CliFixture cli;
  cli.Start();
  CHECK(cli.Ask({"flows"}).out == "No open flows.\n");
  CHECK(cli.Ask({"flows", "--closed"}).out == "No flow has ended yet.\n");
  FlowRecord record = ExampleFlow();
  record.state = FlowState::kOpen;
  record.reason = CloseReason::kNone;
  const auto one = cli.view.flows().Open(record);
  const auto other = cli.view.flows().Open(record);
  const CliRun open = cli.Ask({"flows"});
  CHECK(StrContains(open.out, "curl[42]"));
  CHECK(StrContains(open.out, "[fd00::2]:80"));
  CHECK_FALSE(StrContains(open.out, "REASON"));
  cli.view.flows().Close(*one, CloseReason::kDialFailed, "refused");
  cli.view.flows().Close(*other, CloseReason::kClosed, "");
  const CliRun closed = cli.Ask({"flows", "--closed"});
  CHECK(StrContains(closed.out, "dial_failed  refused\n"));
  const CliRun limited = cli.Ask({"flows", "--closed", "--limit", "1"});
  CHECK(StrContains(limited.out, "The newest 1 of 2 flows.\n"));
  const Json json = cli.Ask({"flows", "--closed", "--json"}).json();
  CHECK(json["flows"].size() == 2);
  CHECK(json["flows"][1]["reason"] == "dial_failed");
}

TEST_CASE("explain shows each selector and the nearest miss") {
  CliFixture cli;
  cli.view.explanations[42] = ExampleExplanation(42);
  cli.Start();
  const CliRun text = cli.Ask({"explain", "42"});
  CHECK(text.code == 0);
  CHECK(StrContains(text.out, "no identity: its flows are left alone"));
  CHECK(StrContains(text.out,
                    "nearest miss: demo/client "
                    "(spiffe://example.org/demo/client), 1 selector does not "
                    "match"));
  CHECK(StrContains(text.out, "attestor cgroup gave no selectors: open"));
  CHECK(StrContains(text.out,
                    "  1  process:uid       0, 1000  33        "
                    "/proc/42/status  mismatch\n"));
  CHECK(cli.Ask({"explain", "42", "--json"}).json()["outcome"] == "none");
}

TEST_CASE("explain names the winner or the tie") {
  CliFixture cli;
  auto explanation = ExampleExplanation(42);
  explanation.choice.identity = ExampleIdentity();
  cli.view.explanations[42] = explanation;
  explanation.choice = {};
  explanation.choice.tied = {"a", "b"};
  cli.view.explanations[43] = explanation;
  explanation.choice = {};
  explanation.choice.undetermined = {"c"};
  cli.view.explanations[44] = explanation;
  cli.Start();
  CHECK(StrContains(cli.Ask({"explain", "42"}).out,
                    "identity: demo/client (spiffe://example.org/demo/"));
  CHECK(StrContains(cli.Ask({"explain", "43"}).out,
                    "tie: a, b match equally well"));
  CHECK(StrContains(cli.Ask({"explain", "44"}).out,
                    "undetermined: an attestor failed that decides about c"));
}

TEST_CASE("explain says what the kernel leaves alone") {
  CliFixture cli;
  auto explanation = ExampleExplanation(42);
  explanation.untouched = {.outbound = true, .inbound = true};
  cli.view.explanations[42] = explanation;
  explanation.choice.identity = ExampleIdentity();
  cli.view.explanations[43] = explanation;
  explanation.untouched.inbound = false;
  cli.view.explanations[44] = explanation;
  cli.Start();
  CHECK_FALSE(StrContains(cli.Ask({"explain", "42"}).out, "DISABLE"));
  CHECK(StrContains(cli.Ask({"explain", "43"}).out,
                    "DISABLE: once it is known, the kernel leaves all its "
                    "flows alone\n"));
  CHECK(StrContains(cli.Ask({"explain", "44"}).out,
                    "leaves all its outbound flows alone\n"));
}

TEST_CASE("a process that is not there is a negative answer") {
  CliFixture cli;
  cli.Start();
  const CliRun run = cli.Ask({"explain", "4242"});
  CHECK(run.code == 1);
  CHECK(run.out.empty());
  CHECK(run.err == "kith: no process 4242\n");
}

TEST_CASE("the log level is changed") {
  CliFixture cli;
  cli.Start();
  const CliRun run = cli.Ask({"log-level", "debug"});
  CHECK(run.code == 0);
  CHECK(run.out == "log level: debug\n");
  CHECK(cli.view.log_level() == "debug");
  CHECK(cli.audit().size() == 1);
}

TEST_CASE("doctor tells what is missing, with and without an agent") {
  CliFixture cli;
  cli.features = {{"BTF", "required", true, "/sys/kernel/btf/vmlinux"},
                  {"kTLS", "faster relay", false, "modprobe tls"}};
  CliRun run = cli.Ask({"doctor"});
  CHECK(run.code == 0);
  CHECK(cli.probed_cgroup == "auto");
  CHECK(StrContains(run.out, "BTF      required      yes    /sys/kernel"));
  CHECK(StrContains(run.out, "path: userspace ("));
  CHECK(StrContains(run.out, "agent: no agent runs at "));

  cli.view.status = ExampleStatus();
  cli.Start();
  cli.features[0].found = false;
  run = cli.Ask({"doctor"});
  CHECK(run.code == 1);
  CHECK(cli.probed_cgroup == "/sys/fs/cgroup/kith");
  CHECK(StrContains(run.err, "a required feature is missing"));
  CHECK(StrContains(run.out, "connect_captured  1,234\n"));
  const Json json = cli.Ask({"doctor", "--json"}).json();
  CHECK(json["ok"] == false);
  CHECK(json["features"][0]["name"] == "BTF");
  CHECK(json["agent"]["pid"] == 77);
}

TEST_CASE("an agent that cannot be reached is exit code 3 and a way out") {
  CliFixture cli;
  for (const auto &command :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"identities"},
                                             {"flows"},
                                             {"trace"},
                                             {"explain", "1"},
                                             {"log-level", "info"}}) {
    CAPTURE(command[0]);
    const CliRun run = cli.Ask(command);
    CHECK(run.code == 3);
    CHECK(run.out.empty());
    CHECK(StrContains(run.err, "no agent runs at " + cli.socket));
    CHECK(StrContains(run.err, "start `kith agent`"));
  }
}

TEST_CASE("something else on the socket is exit code 3") {
  CliFixture cli;
  std::ofstream(cli.socket) << "";
  const CliRun run = cli.Ask({"status"});
  CHECK(run.code == 3);
  CHECK(StrContains(run.err, cli.socket));
}

TEST_CASE("a wrong command line is exit code 2 and says what is wrong") {
  CliFixture cli;
  for (const auto &command :
       std::vector<std::vector<std::string>>{{},
                                             {"stat"},
                                             {"status", "--jsn"},
                                             {"explain"},
                                             {"explain", "abc"},
                                             {"explain", "0"},
                                             {"explain", "99999999999"},
                                             {"flows", "--limit", "-1"},
                                             {"log-level", "loud"},
                                             {"policy"},
                                             {"policy", "lint"},
                                             {"trace", "--pid"}}) {
    const CliRun run = cli.Run(command);
    CAPTURE(run.err);
    CHECK(run.code == 2);
    CHECK(run.out.empty());
    CHECK(StrContains(run.err, "kith COMMAND --help"));
  }
}

TEST_CASE("help names every command") {
  CliFixture cli;
  const CliRun run = cli.Run({"--help"});
  CHECK(run.code == 0);
  for (const char *command : {"agent",
                              "status",
                              "identities",
                              "flows",
                              "trace",
                              "explain",
                              "doctor",
                              "policy",
                              "log-level",
                              "version"}) {
    CHECK(StrContains(run.out, command));
  }
  CHECK(StrContains(cli.Run({"flows", "--help"}).out, "--closed"));
}

TEST_CASE("the version has numbers, a commit and the libraries") {
  CliFixture cli;
  const CliRun text = cli.Run({"version"});
  CHECK(text.code == 0);
  CHECK(StrContains(text.out, "kith 0."));
  const Json json = cli.Run({"version", "--json"}).json();
  CHECK_FALSE(json["commit"].get<std::string>().empty());
  for (const auto &[name, version] : json["libraries"].items()) {
    CAPTURE(name);
    CHECK_FALSE(version.get<std::string>().empty());
  }
}

}  // namespace
}  // namespace kith
