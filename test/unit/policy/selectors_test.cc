// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "agent/policy/selector_reader.h"

namespace kith {
namespace {

// Printed returns "key=a|b&key=c / key=d" for a list of selector maps.
std::string Printed(const std::vector<SelectorMap> &maps) {
  return absl::StrJoin(maps, " / ", [](std::string *out, const auto &map) {
    absl::StrAppend(
        out, absl::StrJoin(map, "&", [](std::string *o, const auto &term) {
          absl::StrAppend(o, term.key, "=", absl::StrJoin(term.values, "|"));
        }));
  });
}

using Reader = absl::StatusOr<std::vector<SelectorMap>> (*)(const Field &);

absl::StatusOr<std::string> ReadWith(Reader read, const std::string &text) {
  auto documents = ParseYaml(text, "f");
  if (!documents.ok()) {
    return documents.status();
  }
  auto maps = read(Field(documents->at(0), "f", "selectors"));
  if (!maps.ok()) {
    return maps.status();
  }
  return Printed(*maps);
}

const std::string kHash(64, 'A');
const std::string kLowerHash(64, 'a');

TEST_CASE("the selector grammar") {
  struct Case {
    std::string text;
    std::string printed;
  };
  const auto c = GENERATE(
      Case{"- process:name: nginx", "process:name=nginx"},
      Case{"- \"process:name\": nginx", "process:name=nginx"},
      Case{"- process:name: nginx\n  process:uid: 33",
           "process:name=nginx&process:uid=33"},
      Case{"- process:name: a\n- process:name: b",
           "process:name=a / process:name=b"},
      Case{"- process:name: [a, b]", "process:name=a|b"},
      Case{"- {destination:port: 8080}", "destination:port=8080"},
      Case{"- destination:port: [80, \"443\"]", "destination:port=80|443"},
      Case{"- process:uid: 0", "process:uid=0"},
      Case{"- process:uid: 4294967295", "process:uid=4294967295"},
      Case{"- process:uid:effective: 5", "process:uid:effective=5"},
      Case{"- process:name: true", "process:name=true"},
      Case{"- process:name: 7", "process:name=7"},
      Case{"- linuxos:version: 12.10", "linuxos:version=12.10"},
      Case{"- process:cmdline: \"java -jar  x\"",
           "process:cmdline=java -jar  x"},
      Case{"- process:binary:hash: " + kHash,
           "process:binary:hash=" + kLowerHash},
      Case{"- systemd:id: nginx.service", "systemd:id=nginx.service"},
      Case{"- cgroup:path: /a/b", "cgroup:path=/a/b"},
      // Keys of attestors to come.
      Case{"- k8s:label:app: frontend", "k8s:label:app=frontend"},
      Case{"- k8s:label:app.kubernetes.io/name: x",
           "k8s:label:app.kubernetes.io/name=x"},
      Case{"- docker:image:name:nginx: true", "docker:image:name:nginx=true"},
      // SPIRE's spellings.
      Case{"- unix:uid: 1000", "process:uid=1000"},
      Case{"- unix:uid:1000: true", "process:uid=1000"},
      Case{"[\"unix:uid:1000\"]", "process:uid=1000"},
      Case{"- unix:gid: [1, 2]", "process:gid=1|2"},
      Case{"- unix:supplementary_gid: 27", "process:gid:additional=27"},
      Case{"- unix:path:/usr/bin/curl: true",
           "process:binary:path=/usr/bin/curl"},
      Case{"[\"unix:sha256:" + kHash + "\"]",
           "process:binary:hash=" + kLowerHash},
      Case{"- k8s:ns: prod", "k8s:pod:namespace=prod"},
      Case{"- k8s:ns:prod: true", "k8s:pod:namespace=prod"},
      Case{"[\"k8s:ns:prod\"]", "k8s:pod:namespace=prod"},
      Case{"- k8s:sa: web", "k8s:pod:serviceaccount=web"},
      Case{"- k8s:pod-label:app: x", "k8s:label:app=x"},
      Case{"- k8s:pod-label:app:x: true", "k8s:label:app=x"},
      Case{"[\"k8s:pod-label:app:x\"]", "k8s:label:app=x"},
      Case{"[\"k8s:label:app:x\"]", "k8s:label:app=x"},
      Case{"[\"process:uid:real:7\"]", "process:uid:real=7"},
      Case{"[\"process:name:a:b\"]", "process:name=a:b"},
      Case{"- unix:uid: 1\n  process:name: x", "process:uid=1&process:name=x"},
      Case{"- \"unix:uid:1\"\n- process:name: x",
           "process:uid=1 / process:name=x"});
  CAPTURE(c.text);
  const auto printed = ReadWith(ReadSelectors, c.text);
  INFO(printed.status().message());
  REQUIRE(printed.ok());
  CHECK(*printed == c.printed);
}

std::string ManyMaps() {
  std::string text;
  for (size_t i = 0; i <= kMaxSelectorMaps; ++i) {
    absl::StrAppend(&text, "- process:uid: ", i, "\n");
  }
  return text;
}

std::string ManyTerms() {
  std::string text = "-";
  for (size_t i = 0; i <= kMaxSelectorTerms; ++i) {
    absl::StrAppend(&text, "  k8s:label:l", i, ": x\n ");
  }
  return text;
}

std::string ManyValues() {
  std::string text = "- process:uid: [0";
  for (size_t i = 0; i < kMaxSelectorValues; ++i) {
    absl::StrAppend(&text, ", ", i);
  }
  return text + "]";
}

TEST_CASE("selectors that cannot mean what they say are refused") {
  struct Case {
    std::string text;
    std::string message;
  };
  const auto c = GENERATE(
      Case{"[]", "is empty"},
      Case{"- {}", "f:1: selectors[0]: is an empty map"},
      Case{"a: b", "want a list"},
      Case{"- [process:name]", "want a map"},
      Case{"- proces:name: x", "did you mean 'process:name'?"},
      Case{"- process:nam: x", "did you mean 'process:name'?"},
      Case{"- process:pid: 1", "unknown selector 'process:pid'"},
      Case{"- process:env:HOME: /", "unknown selector"},
      Case{"- name: nginx", "unknown selector 'name'"},
      Case{"- cgroup: /a", "unknown selector"},
      Case{"- systemd:unit: a.service", "unknown selector"},
      Case{"- destination:address: 10.0.0.1", "unknown selector"},
      Case{"- 'k8s:': x", "unknown selector"},
      Case{"- 'docker:image:': x", "unknown selector"},
      Case{"- '': x", "unknown selector"},
      Case{"- unix:user: root",
           "unix:user needs a name lookup; write unix:uid"},
      Case{"- unix:group:adm: true", "needs a name lookup; write unix:gid"},
      Case{"[\"unix:supplementary_group:adm\"]",
           "needs a name lookup; write unix:supplementary_gid"},
      Case{"- unix:uid:1000: false", "'not' is no selector"},
      Case{"- unix:uid:1000: 1001", "unknown selector 'unix:uid:1000'"},
      Case{"- unix:uid:1000:", "unknown selector"},
      Case{"[\"unix:uid\"]", "'unix:uid' has no value"},
      Case{"[\"unix:uid:\"]", "unknown selector"},
      Case{"[\"nginx\"]", "unknown selector 'nginx'"},
      Case{"[\"unix:uid:1\", \"unix:gid:2\"]",
           "selectors[1]: a second bare selector"},
      Case{"- process:uid: root", "want a decimal number up to 4294967295"},
      Case{"- process:uid: 4294967296", "want a decimal number"},
      Case{"- process:uid: -1", "want a decimal number"},
      Case{"- process:uid: 01", "want a decimal number"},
      Case{"- process:uid: 0x10", "want a decimal number"},
      Case{"- process:uid: 1.0", "want a decimal number"},
      Case{"- process:gid: []", "is an empty list"},
      Case{"- process:name: {a: b}", "want a string, a number or a boolean"},
      Case{"- process:name:", "want a string, a number or a boolean"},
      Case{"- process:name: ''", "is empty"},
      Case{"- process:cmdline: ''", "is empty"},
      Case{"- process:name: [[a]]", "want a string, a number or a boolean"},
      Case{"- destination:port: 0", "port 0"},
      Case{"- destination:port: 65536", "want a decimal number up to 65535"},
      Case{"- destination:port: http", "want a decimal number up to 65535"},
      Case{"- destination:port: [80, 99999]", "want a decimal number"},
      Case{"- process:binary:path: curl", "want an absolute path"},
      Case{"- cgroup:path: system.slice", "want an absolute path"},
      Case{"- process:binary:hash: abc", "want a SHA-256"},
      Case{"- process:binary:hash: " + std::string(64, 'g'), "want a SHA-256"},
      Case{ManyMaps(), "more than 64 items"},
      Case{ManyTerms(), "more than 32 keys"},
      Case{ManyValues(), "more than 256 items"});
  CAPTURE(c.text);
  const auto printed = ReadWith(ReadSelectors, c.text);
  REQUIRE_FALSE(printed.ok());
  CAPTURE(printed.status().message());
  CHECK(printed.status().message().find(c.message) != std::string::npos);
  CHECK(printed.status().message().find("f:") == 0);
}

TEST_CASE("ingress selects by port, egress by any label") {
  CHECK(*ReadWith(ReadPortSelectors, "- destination:port: [1, 2]") ==
        "destination:port=1|2");
  CHECK_FALSE(ReadWith(ReadPortSelectors, "- process:name: x").ok());
  CHECK_FALSE(ReadWith(ReadPortSelectors, "- destination:port: x").ok());
  CHECK_FALSE(ReadWith(ReadPortSelectors, "[\"destination:port:1\"]").ok());
  CHECK(*ReadWith(ReadLabelSelectors, "- app: web\n  tier: [1, 2]") ==
        "app=web&tier=1|2");
  CHECK_FALSE(ReadWith(ReadLabelSelectors, "- {}").ok());
  CHECK_FALSE(ReadWith(ReadLabelSelectors, "[]").ok());
  CHECK_FALSE(ReadWith(ReadLabelSelectors, "[app]").ok());
}

}  // namespace
}  // namespace kith
