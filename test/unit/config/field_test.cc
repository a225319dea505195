// SPDX-License-Identifier: Apache-2.0
#include "agent/config/field.h"

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

namespace kith {
namespace {

using std::chrono::seconds;

// Holds the tree that a field points into.
class One {
 public:
  explicit One(const std::string &text) : documents_(*ParseYaml(text, "f")) {}
  Field field() const { return Field(documents_.at(0), "f", "a.b"); }

 private:
  std::vector<YamlNode> documents_;
};

TEST_CASE("errors name file, line and path") {
  const One one("# comment\n- x\n- y: 1\n");
  const auto items = one.field().Items(9);
  REQUIRE(items.ok());
  CHECK((*items)[1].AsString().status().message() ==
        "f:3: a.b[1]: want a string, got a map");
  const auto entries = (*items)[1].Entries(9);
  REQUIRE(entries.ok());
  CHECK(entries->at(0).second.Error("no").message() == "f:3: a.b[1].y: no");
}

TEST_CASE("strings are told from numbers, booleans and nothing") {
  for (const char *text : {"abc",
                           "'1'",
                           "\"true\"",
                           "1.2.3.4",
                           "10.0.0.0/8",
                           "1h",
                           "infinity",
                           "yes"}) {
    CAPTURE(text);
    CHECK(One(text).field().AsString().ok());
  }
  for (const char *text :
       {"1", "1.5", "-1", "1e3", "true", "false", "''", "[a]", "{a: b}"}) {
    CAPTURE(text);
    CHECK_FALSE(One(text).field().AsString().ok());
  }
}

TEST_CASE("booleans are true and false, unquoted") {
  CHECK(*One("true").field().AsBool());
  CHECK_FALSE(*One("false").field().AsBool());
  for (const char *text : {"'true'", "yes", "True", "1", "[true]"}) {
    CAPTURE(text);
    CHECK_FALSE(One(text).field().AsBool().ok());
  }
}

TEST_CASE("integers are plain decimals in their range") {
  CHECK(*One("7").field().AsInteger(1, 9) == 7);
  CHECK(*One("4294967295").field().AsInteger(0, UINT32_MAX) == UINT32_MAX);
  for (const char *text : {"0",
                           "10",
                           "-7",
                           "+7",
                           "0x7",
                           "7.0",
                           "'7'",
                           "7 8",
                           "99999999999999999999",
                           "a",
                           "[7]"}) {
    CAPTURE(text);
    CHECK_FALSE(One(text).field().AsInteger(1, 9).ok());
  }
}

TEST_CASE("durations have units, whole seconds and a range") {
  struct Case {
    std::string text;
    int seconds;
  };
  const auto c = GENERATE(Case{"90s", 90},
                          Case{"30m", 1800},
                          Case{"1h", 3600},
                          Case{"3600s", 3600},
                          Case{"1h30m", 5400},
                          Case{"1.5h", 5400},
                          Case{"2s", 2});
  CAPTURE(c.text);
  const auto duration =
      One(c.text).field().AsDuration(seconds(2), seconds(7200));
  REQUIRE(duration.ok());
  CHECK(duration->count() == c.seconds);
}

TEST_CASE("what is no duration is refused") {
  for (const char *text : {"3600",
                           "1",
                           "1d",
                           "",
                           "-1h",
                           "inf",
                           "1500ms",
                           "1s",
                           "7201s",
                           "1h1",
                           "h",
                           "99999999999999999999h",
                           "[1h]",
                           "'0'"}) {
    CAPTURE(text);
    const One one(text[0] == '\0' ? "''" : text);
    CHECK_FALSE(one.field().AsDuration(seconds(2), seconds(7200)).ok());
  }
}

TEST_CASE("lists and maps have bounds") {
  CHECK(One("[a, b]").field().Items(2).ok());
  CHECK_FALSE(One("[a, b]").field().Items(1).ok());
  CHECK(One("{a: 1, b: 2}").field().Entries(2).ok());
  CHECK_FALSE(One("{a: 1, b: 2}").field().Entries(1).ok());
  CHECK_FALSE(One("{a: 1}").field().Items(9).ok());
  CHECK_FALSE(One("[a]").field().Entries(9).ok());
}

TEST_CASE("an unknown key names the nearest one and all of them") {
  std::string out;
  const std::vector<KeyReader> readers = {
      {"stateDir", Into(out, [](const Field &f) { return f.AsString(); })},
      {"cgroup", Into(out, [](const Field &f) { return f.AsString(); })}};
  CHECK(ReadMap(One("stateDir: /x").field(), readers).ok());
  CHECK(out == "/x");
  const auto status = ReadMap(One("cgroup: /c\nstatedir: /y").field(), readers);
  CHECK(status.message() ==
        "f:2: a.b.statedir: unknown key; did you mean 'stateDir'? "
        "(known here: stateDir, cgroup)");
}

}  // namespace
}  // namespace kith
