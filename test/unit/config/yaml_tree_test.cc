// SPDX-License-Identifier: Apache-2.0
#include "agent/config/yaml_tree.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

namespace kith {
namespace {

TEST_CASE("documents keep the order and the lines of the file") {
  const auto documents = ParseYaml(
      "---\n"
      "k8s:label:app: frontend\n"
      "\"process:name\": [nginx, 'yes']\n"
      "---\n"
      "# nothing here\n"
      "---\n"
      "- a\n",
      "f.yaml");
  REQUIRE(documents.ok());
  REQUIRE(documents->size() == 2);
  const YamlNode &map = documents->front();
  REQUIRE(map.kind == YamlNode::Kind::kMap);
  REQUIRE(map.entries.size() == 2);
  CHECK(map.entries[0].key == "k8s:label:app");
  CHECK(map.entries[0].value.scalar == "frontend");
  CHECK(map.entries[0].line == 2);
  CHECK(map.entries[1].key == "process:name");
  REQUIRE(map.entries[1].value.items.size() == 2);
  CHECK_FALSE(map.entries[1].value.items[0].quoted);
  CHECK(map.entries[1].value.items[1].quoted);
  CHECK(documents->back().kind == YamlNode::Kind::kList);
  CHECK(documents->back().line == 7);
}

TEST_CASE("JSON is read as it is") {
  const auto documents = ParseYaml(
      "{\n\t\"a\":1,\"b\":{\"c\":[true,null,\"x\\ty\"]},\"d\":\"\"\n}\n", "f");
  REQUIRE(documents.ok());
  REQUIRE(documents->size() == 1);
  const YamlNode &map = documents->front();
  REQUIRE(map.entries.size() == 3);
  CHECK(map.entries[0].value.scalar == "1");
  const YamlNode &list = map.entries[1].value.entries[0].value;
  REQUIRE(list.items.size() == 3);
  CHECK(list.items[1].kind == YamlNode::Kind::kNull);
  CHECK(list.items[2].scalar == "x\ty");
  CHECK(map.entries[2].value.quoted);
}

TEST_CASE("an alias is a copy") {
  const auto documents = ParseYaml("a: &x [1, 2]\nb: *x\n", "f");
  REQUIRE(documents.ok());
  const YamlNode &map = documents->front();
  REQUIRE(map.entries.size() == 2);
  CHECK(map.entries[1].value.items.size() == 2);
}

std::string Laughs() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    absl::StrAppend(&text, "a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) {
      absl::StrAppend(&text, j > 0 ? ", " : "", "*a", i - 1);
    }
    absl::StrAppend(&text, "]\n");
  }
  return text;
}

std::string LongTextLaughs() {
  std::string text = "a: &a \"" + std::string(500'000, 'x') + "\"\nb:\n";
  for (int i = 0; i < 1'000; ++i) {
    absl::StrAppend(&text, "  - *a\n");
  }
  return text;
}

std::string ManyDocuments() {
  std::string text;
  for (int i = 0; i < 1'100; ++i) {
    absl::StrAppend(&text, "---\na\n");
  }
  return text;
}

std::string Wide() {
  std::string text = "[";
  for (int i = 0; i < 70'000; ++i) {
    absl::StrAppend(&text, "1,");
  }
  return text + "1]";
}

TEST_CASE("hostile and broken files are errors that name the line") {
  struct Case {
    std::string what;
    std::string text;
    std::string message;
  };
  const auto c = GENERATE(
      Case{"billion laughs", Laughs(), "f.yaml:5: more than 65536"},
      Case{"copies of a long text", LongTextLaughs(), "more than 65536"},
      Case{"an alias in its own anchor", "a: &a [*a]\n", "f.yaml:1: "},
      Case{"an alias without anchor", "a: *nobody\n", "f.yaml:1: "},
      Case{"deep lists", std::string(40, '['), "f.yaml:1: nested deeper"},
      Case{"very deep lists", std::string(100'000, '['), "f.yaml:1: "},
      Case{"very deep maps", std::string(100'000, '{'), "f.yaml:1: "},
      Case{"very deep blocks",
           [] {
             std::string text;
             for (int i = 0; i < 5'000; ++i) {
               absl::StrAppend(&text, "- ");
             }
             return text;
           }(),
           "f.yaml:1: "},
      Case{"many documents", ManyDocuments(), "more than 1024 documents"},
      Case{"a long list", Wide(), "more than 65536"},
      Case{"a half-written list", "a:\n  - b\n  - [c, d", "f.yaml:3: "},
      Case{"a half-written string", "a: \"b\nc: d\n", "f.yaml:"},
      Case{"half-written JSON", "{\"a\": {\"b\": 1,", "f.yaml:1: "},
      Case{"a duplicate key",
           "a: 1\nb: 2\na: 3\n",
           "f.yaml:3: key 'a' is already on line 1"},
      Case{"a duplicate key below",
           "x:\n- a: 1\n  a: 2\n",
           "f.yaml:3: key 'a' is already on line 2"},
      Case{"a key that is a list", "[a]: 1\n", "f.yaml:1: a key that is not"},
      Case{"a key that is nothing", ": 1\n", "f.yaml:1: a key that is not"},
      Case{"a tag", "a: !!binary aGk=\n", "the tag"},
      Case{"a private tag", "a: !run x\n", "the tag"},
      Case{"a tag on a map", "!x {a: 1}\n", "the tag"},
      Case{"a NUL", std::string("a: b\n\0", 6), "f.yaml:2: control character"},
      Case{"the parser's end mark",
           "a: b\n\x04hidden: 1\n",
           "f.yaml:2: control character 0x04"},
      Case{"an escape", "a: \x1b[31m\n", "control character 0x1b"},
      Case{"a quote never closed", "a: b\nc: 'd\n", "f.yaml:"},
      Case{"no UTF-8", "a: b\nc: \xff\n", "f.yaml:2: not UTF-8: byte 0xff"},
      Case{"an overlong slash", "a: \xc0\xaf\n", "not UTF-8"},
      Case{"a surrogate", "a: \xed\xa0\x80\n", "not UTF-8"},
      Case{"above U+10FFFF", "a: \xf4\x90\x80\x80\n", "not UTF-8"},
      Case{"a character cut short", "a: \xe2\x82", "not UTF-8"},
      Case{"Latin-1", "a: caf\xe9 b\n", "not UTF-8"},
      Case{"bad indentation", "a:\n   b: 1\n  c: 2\n", "f.yaml:3: "},
      Case{"a tab for indentation", "a:\n\tb: 1\n", "f.yaml:2: "});
  CAPTURE(c.what);
  const auto documents = ParseYaml(c.text, "f.yaml");
  REQUIRE_FALSE(documents.ok());
  CAPTURE(documents.status().message());
  CHECK(absl::IsInvalidArgument(documents.status()));
  CHECK(documents.status().message().find(c.message) != std::string::npos);
  CHECK(documents.status().message().substr(0, 7) == "f.yaml:");
}

TEST_CASE("every prefix of a document gives an answer") {
  const std::string text =
      "apiVersion: kith.dev/v1alpha1\nspec: {a: [1, \"x\"], b: &c 'd'}\n"
      "e: |\n  text\nf: *c\n";
  REQUIRE(ParseYaml(text, "f").ok());
  size_t refused = 0;
  for (size_t size = 0; size < text.size(); ++size) {
    refused +=
        ParseYaml(std::string_view(text).substr(0, size), "f").ok() ? 0 : 1;
  }
  CHECK(refused > 0);
}

TEST_CASE("all of Unicode is taken") {
  const auto documents = ParseYaml(
      "a: \xc3\xa9 \xe2\x82\xac \xed\x9f\xbf \xee\x80\x80 "
      "\xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf\n",
      "f");
  REQUIRE(documents.ok());
  CHECK(documents->front().entries.front().value.scalar.size() == 24);
}

TEST_CASE("a file without content has no documents") {
  for (const char *text :
       {"", "\n", "# only a comment\n", "---\n", "---\n---"}) {
    const auto documents = ParseYaml(text, "f");
    REQUIRE(documents.ok());
    CHECK(documents->empty());
  }
}

}  // namespace
}  // namespace kith
