// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/strings/match.h"
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "test/unit/cli/cli_fixture.h"

namespace kith {
namespace {

using absl::StrContains;

// AwaitedText is a stream whose content a test can wait for.
class AwaitedText : public std::streambuf {
 public:
  // Await returns whether `text` was written before ten seconds.
  bool Await(const std::string &text) {
    std::unique_lock lock(mutex_);
    return written_.wait_for(lock, std::chrono::seconds(10), [&] {
      return StrContains(text_, text);
    });
  }

  std::string str() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 protected:
  std::streamsize xsputn(const char *bytes, std::streamsize size) override {
    const std::lock_guard lock(mutex_);
    text_.append(bytes, static_cast<size_t>(size));
    written_.notify_all();
    return size;
  }
  int_type overflow(int_type byte) override {
    const char character = traits_type::to_char_type(byte);
    return xsputn(&character, 1) == 1 ? byte : traits_type::eof();
  }

 private:
  std::mutex mutex_;
  std::condition_variable written_;
  std::string text_;
};

// TraceRun is `kith trace` on a thread of its own.
class TraceRun {
 public:
  explicit TraceRun(CliFixture &cli, std::vector<std::string> options = {}) {
    // Signals are for the command's own thread: this one must not get them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    REQUIRE(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
    options.insert(options.begin(), "trace");
    options.insert(options.end(), {"--socket", cli.socket});
    thread_ = std::thread([this, &cli, options] {
      std::ostream out(&text);
      std::ostringstream err;
      code = cli.RunTo(options, out, err);
    });
    REQUIRE(cli.view.observed_trace().AwaitSubscribers(1));
  }
  ~TraceRun() { Join(); }

  void Join() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  AwaitedText text;
  int code = -1;

 private:
  std::thread thread_;
};

TEST_CASE("a timeline has the time of each step") {
  CliFixture cli;
  cli.Start();
  TraceRun trace(cli);
  TraceEvent event = ExampleEvent("connect", 7);
  event.since_start = std::chrono::microseconds(0);
  cli.view.trace().Publish(event);
  event = ExampleEvent("attest", 7);
  event.since_start = std::chrono::microseconds(1'250);
  cli.view.trace().Publish(event);
  event = ExampleEvent("close", 7);
  event.since_start = std::chrono::microseconds(1'300);
  cli.view.trace().Publish(event);
  CHECK(trace.text.Await("detail of close\n"));
  cli.server.reset();
  trace.Join();
  CHECK(trace.code == 0);
  const std::string text = trace.text.str();
  CHECK(StrContains(text, "20:34:02.125  #7     out  curl[42]"));
  CHECK(StrContains(text, "attest        +1250 us      1.25 ms  detail of"));
  CHECK(StrContains(text, "close           +50 us      1.30 ms  detail of"));
}

TEST_CASE("trace --json prints one object a line") {
  CliFixture cli;
  cli.Start();
  TraceRun trace(cli, {"--json", "--pid", "42"});
  cli.view.trace().Publish(ExampleEvent("connect", 7));
  cli.view.trace().Publish(ExampleEvent("attest", 7));
  CHECK(trace.text.Await("\"step\":\"attest\""));
  cli.server.reset();
  trace.Join();
  std::istringstream lines(trace.text.str());
  std::string line;
  REQUIRE(std::getline(lines, line));
  CHECK(ParseJson(line)["step"] == "connect");
  REQUIRE(std::getline(lines, line));
  CHECK(ParseJson(line)["flow"]["id"] == "7");
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("an interrupt ends a trace with 0") {
  CliFixture cli;
  cli.Start();
  TraceRun trace(cli);
  REQUIRE(kill(getpid(), SIGINT) == 0);
  trace.Join();
  CHECK(trace.code == 0);
  CHECK(cli.view.observed_trace().AwaitSubscribers(0));
}

TEST_CASE("a refused trace is a negative answer") {
  CliFixture cli;
  cli.Start();
  const CliRun run = cli.Ask({"trace", "--identity", "http://no"});
  CHECK(run.code == 1);
  CHECK_FALSE(run.err.empty());
}

}  // namespace
}  // namespace kith
