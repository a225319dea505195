// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "test/unit/config/scratch_directory.h"

namespace kith {
namespace {

Config Parsed(const std::string &text) {
  auto config = ParseConfig(text, "kith.yaml");
  INFO(config.status().message());
  REQUIRE(config.ok());
  return *config;
}

void CheckDefaults(const Config &config) {
  CHECK(config.trust_domain == "example.org");
  CHECK(config.state_dir == "/var/lib/kith");
  CHECK(config.runtime_dir == "/run/kith");
  CHECK(config.cgroup == "auto");
  CHECK(config.resources == std::vector<std::string>{"/etc/kith/resources.d"});
  CHECK(config.embedded_ca_dir == "/var/lib/kith/ca");
  CHECK(config.svid_ttl == std::chrono::hours(1));
  CHECK(config.svid_files == "/run/kith/svids");
  CHECK(config.path == DatapathChoice::kAuto);
  CHECK(config.bypass.empty());
  CHECK_FALSE(config.pin);
  CHECK(config.admin_group == "kith");
  CHECK(config.log_level == LogLevel::kInfo);
  CHECK(config.log_format == LogFormat::kJson);
}

TEST_CASE("every key is optional") {
  CheckDefaults(Parsed(""));
  CheckDefaults(Parsed("# nothing\n"));
  CheckDefaults(Parsed("issuer:\nsvid:\ndatapath:\nadmin:\nlog:\nmetrics:\n"));
}

TEST_CASE("the sample shows the defaults") {
  const auto config = LoadConfig(KITH_DEPLOY_DIR "/kith.yaml");
  INFO(config.status().message());
  REQUIRE(config.ok());
  CheckDefaults(*config);
}

TEST_CASE("every key is honoured") {
  const Config config = Parsed(
      "trustDomain: Prod.Example.COM\n"
      "stateDir: /s\n"
      "runtimeDir: /r\n"
      "cgroup: /sys/fs/cgroup/test\n"
      "resources: [/a, /b.yaml]\n"
      "issuer: {embedded: {dir: /ca}}\n"
      "svid: {ttl: 90s}\n"
      "datapath:\n"
      "  path: userspace\n"
      "  sameNode: tls\n"
      "  unknownProcess: hold\n"
      "  pin: true\n"
      "  bypass: [10.0.0.0/8]\n"
      "admin: {group: wheel}\n"
      "metrics: {listen: \"\"}\n"
      "log: {level: debug, format: text}\n");
  CHECK(config.trust_domain == "prod.example.com");
  CHECK(config.state_dir == "/s");
  CHECK(config.runtime_dir == "/r");
  CHECK(config.cgroup == "/sys/fs/cgroup/test");
  CHECK(config.resources == std::vector<std::string>{"/a", "/b.yaml"});
  CHECK(config.embedded_ca_dir == "/ca");
  CHECK(config.svid_ttl == std::chrono::seconds(90));
  CHECK(config.path == DatapathChoice::kUserspace);
  CHECK(config.pin);
  CHECK(config.bypass.size() == 1);
  CHECK(config.admin_group == "wheel");
  CHECK(config.log_level == LogLevel::kDebug);
  CHECK(config.log_format == LogFormat::kText);
}

TEST_CASE("some values follow from others") {
  CHECK(Parsed("stateDir: /s").embedded_ca_dir == "/s/ca");
  CHECK(Parsed("resources: /one.yaml").resources ==
        std::vector<std::string>{"/one.yaml"});
  CHECK(Parsed("{\"svid\":{\"ttl\":\"30m\"}}").svid_ttl ==
        std::chrono::minutes(30));
}

TEST_CASE("bypass rules have a short and a long form") {
  struct Case {
    std::string item;
    std::string destination;
    std::vector<uint16_t> ports;
  };
  const auto c = GENERATE(
      Case{"10.0.0.0/8", "10.0.0.0/8", {}},
      Case{"10.0.0.1", "10.0.0.1/32", {}},
      Case{"10.0.0.0/8:53", "10.0.0.0/8", {53}},
      Case{"fd00::/8", "fd00::/8", {}},
      Case{"\"[fd00::/8]\"", "fd00::/8", {}},
      Case{"\"[fd00::/8]:53\"", "fd00::/8", {53}},
      Case{"\":53\"", "::/0", {53}},
      Case{"{destination: 10.0.0.0/8}", "10.0.0.0/8", {}},
      Case{
          "{destination: \"fd00::/8\", ports: [53, 80]}", "fd00::/8", {53, 80}},
      Case{"{ports: [53]}", "::/0", {53}});
  CAPTURE(c.item);
  const Config config = Parsed("datapath: {bypass: [" + c.item + "]}");
  REQUIRE(config.bypass.size() == 1);
  CHECK(config.bypass[0].destination.ToString() == c.destination);
  CHECK(config.bypass[0].ports == c.ports);
}

TEST_CASE("bypass rules that say nothing or too much are refused") {
  const std::string item = GENERATE(as<std::string>{},
                                    "''",
                                    "':'",
                                    "'10.0.0.0/8:'",
                                    "10.0.0.0/8:0",
                                    "10.0.0.0/8:65536",
                                    "10.0.0.0/8:dns",
                                    "10.0.0.0/40",
                                    "'[fd00::/8'",
                                    "'[fd00::/8]x'",
                                    "'::/0'",
                                    "example.org",
                                    "53",
                                    "{}",
                                    "{destination: 10.0.0.0/8, port: 53}",
                                    "{ports: []}",
                                    "{ports: [0]}",
                                    "{ports: 53}",
                                    "[10.0.0.0/8]");
  CAPTURE(item);
  const auto config =
      ParseConfig("datapath:\n  bypass:\n  - " + item + "\n", "kith.yaml");
  REQUIRE_FALSE(config.ok());
  CAPTURE(config.status().message());
  CHECK(config.status().message().find("kith.yaml:3: datapath.bypass[0]") == 0);
}

TEST_CASE("mistakes name file, line, key and way out") {
  struct Case {
    std::string text;
    std::string message;
  };
  const auto c = GENERATE(
      Case{"\ntrustdomain: x",
           "kith.yaml:2: trustdomain: unknown key; did you "
           "mean 'trustDomain'?"},
      Case{"svid:\n  ttl: 1h\n  tll: 2h",
           "kith.yaml:3: svid.tll: unknown key; did you mean 'ttl'?"},
      Case{"issuer: {spire: {}}", "issuer.spire: unknown key"},
      Case{"trustDomain: 5", "trustDomain: want a string"},
      Case{"trustDomain: a/b", "trustDomain: trust domain may have"},
      Case{"trustDomain: [a]", "trustDomain: want a string"},
      Case{"trustDomain:", "trustDomain: want a string"},
      Case{"stateDir: var/lib", "stateDir: want an absolute path"},
      Case{"runtimeDir: /" + std::string(93, 'r'),
           "runtimeDir: longer than 93"},
      Case{"cgroup: kith", "cgroup: want auto or the absolute path"},
      Case{"resources: x", "resources: want an absolute path"},
      Case{"resources: {a: b}", "resources: want a list"},
      Case{"resources: [/a, b]", "resources[1]: want an absolute path"},
      Case{"svid: {ttl: 3600}", "svid.ttl: want a duration with a unit"},
      Case{"svid: {ttl: 1s}", "svid.ttl: want whole seconds, 2s to 24h"},
      Case{"svid: {ttl: 25h}", "svid.ttl: want whole seconds, 2s to 24h"},
      Case{"svid: 1h", "svid: want a map"},
      Case{"svid: {files: svids}", "svid.files: want an absolute path"},
      Case{"datapath: {path: fast}",
           "datapath.path: want auto or ktls or userspace, got 'fast'"},
      Case{"datapath: {sameNode: splice}",
           "datapath.sameNode: want tls or direct, got 'splice'"},
      Case{"datapath: {pin: true, flowStore: disk}",
           "datapath.flowStore: want none or systemd, got 'disk'"},
      Case{"datapath: {flowStore: systemd}",
           "datapath: flowStore needs pin: true"},
      Case{"datapath: {unknownProcess: deny}",
           "datapath.unknownProcess: want hold, got 'deny'"},
      Case{"datapath: {pin: yes}", "datapath.pin: want true or false"},
      Case{"datapath: {bypass: 10.0.0.0/8}", "datapath.bypass: want a list"},
      Case{"metrics: {listen: 127.0.0.1:9464}",
           "metrics.listen: metrics are not supported by this version"},
      Case{"metrics: {listen:}", "metrics.listen: metrics are not supported"},
      Case{"log: {level: verbose}",
           "log.level: want debug or info or warning or error"},
      Case{"log: {format: xml}", "log.format: want json or text"},
      Case{"admin: {group: ''}", "admin.group: is empty"},
      Case{"- a", "kith.yaml:1: want a map, got a list"},
      Case{"text", "kith.yaml:1: want a map, got 'text'"},
      Case{"a: 1\n---\nb: 2", "kith.yaml:3: a second document"},
      Case{"stateDir: /a\nstateDir: /b", "kith.yaml:2: key 'stateDir' is"},
      Case{"stateDir: \"/a", "kith.yaml:1: "});
  CAPTURE(c.text);
  const auto config = ParseConfig(c.text, "kith.yaml");
  REQUIRE_FALSE(config.ok());
  CAPTURE(config.status().message());
  CHECK(absl::IsInvalidArgument(config.status()));
  CHECK(config.status().message().find("kith.yaml:") == 0);
  CHECK(config.status().message().find(c.message) != std::string::npos);
}

TEST_CASE("a configuration is loaded from a file") {
  const ScratchDirectory scratch;
  const std::string file = scratch.Write("kith.yaml", "stateDir: /s\n");
  const auto config = LoadConfig(file);
  REQUIRE(config.ok());
  CHECK(config->state_dir == "/s");
  CHECK(absl::IsNotFound(LoadConfig(scratch / "missing.yaml").status()));
  const auto broken = LoadConfig(scratch.Write("broken.yaml", "x: 1\n"));
  CHECK(broken.status().message().find(scratch / "broken.yaml:1: x: ") == 0);
}

TEST_CASE("sameNode has a former spelling, of which is warned") {
  const auto direct =
      ParseConfig("datapath:\n  sameNode: direct\n", "kith.yaml").value();
  CHECK(direct.same_node == SameNodeChoice::kDirect);
  CHECK(direct.warnings.empty());
  const auto former =
      ParseConfig("datapath:\n  sameNode: sockmap\n", "kith.yaml").value();
  CHECK(former.same_node == SameNodeChoice::kDirect);
  CHECK(former.warnings ==
        std::vector<std::string>{"kith.yaml:2: datapath.sameNode: 'sockmap' is "
                                 "called 'direct' now: write that"});
}

}  // namespace
}  // namespace kith
