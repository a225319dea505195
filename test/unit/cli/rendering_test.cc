// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "control-client/cli/human_units.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/printable.h"
#include "control-client/cli/table.h"

namespace kith {
namespace {

std::string Rendered(const Table &table, bool colour = false) {
  std::ostringstream out;
  table.Print(out, colour);
  return out.str();
}

TEST_CASE("columns are as wide as their content") {
  Table table({{"ID", Table::Align::kRight}, {"NAME"}, {"STATE"}});
  table.AddRow({"7", "nginx", "open"});
  table.AddRow({"1234", "é", "closed"});
  CHECK(Rendered(table) ==
        "  ID  NAME   STATE\n"
        "   7  nginx  open\n"
        "1234  é      closed\n");
}

TEST_CASE("an empty cell is a dash, an empty column is not shown") {
  Table table({{"A"}, {"B"}, {"C"}});
  table.AddRow({"x", "", ""});
  table.AddRow({"y", "", "z"});
  CHECK(Rendered(table) ==
        "A  C\n"
        "x  -\n"
        "y  z\n");
}

TEST_CASE("colours do not shift columns") {
  Table table({{"A"}, {"B"}});
  table.AddRow({{"no", Style::kBad}, "x"});
  table.AddRow({{"yes", Style::kGood}, "y"});
  CHECK(Rendered(table, true) ==
        "\x1b[1mA\x1b[0m    \x1b[1mB\x1b[0m\n"
        "\x1b[31mno\x1b[0m   x\n"
        "\x1b[32myes\x1b[0m  y\n");
}

TEST_CASE("a process cannot write to the operator's terminal") {
  Table table({{"NAME"}});
  table.AddRow({"a\x1b[2Jb\r\n"});
  CHECK(Rendered(table) == "NAME\na\\x1b[2Jb\\x0d\\x0a\n");
}

TEST_CASE("control characters and broken UTF-8 are spelt out") {
  CHECK(Printable("plain é € 😀") == "plain é € 😀");
  CHECK(Printable("\x7f") == "\\x7f");
  CHECK(Printable("\xc2\x9b") == "\\xc2\\x9b");  // CSI in one character
  CHECK(Printable("a\xff") == "a\\xff");
  CHECK(Printable("\xe2\x82") == "\\xe2\\x82");  // cut short
  CHECK(Printable("\xc0\xaf") == "\\xc0\\xaf");  // overlong
  CHECK(DisplayWidth("é€x") == 3);
}

TEST_CASE("numbers are for people") {
  CHECK(HumanBytes(0) == "0 B");
  CHECK(HumanBytes(999) == "999 B");
  CHECK(HumanBytes(1'000) == "1.0 kB");
  CHECK(HumanBytes(999'949) == "999.9 kB");
  CHECK(HumanBytes(999'950) == "1.0 MB");
  CHECK(HumanBytes(1'234'567'890) == "1.2 GB");
  CHECK(HumanBytes(UINT64_MAX) == "18446.7 PB");
  CHECK(HumanCount(0) == "0");
  CHECK(HumanCount(999) == "999");
  CHECK(HumanCount(1'000) == "1,000");
  CHECK(HumanCount(1'234'567) == "1,234,567");
  CHECK(HumanMicros(87) == "87 us");
  CHECK(HumanMicros(1'250) == "1.25 ms");
  CHECK(HumanMicros(3'200'000) == "3.20 s");
  CHECK(HumanDuration(std::chrono::seconds(42)) == "42s");
  CHECK(HumanDuration(std::chrono::seconds(187)) == "3m 07s");
  CHECK(HumanDuration(std::chrono::seconds(18'720)) == "5h 12m");
  CHECK(HumanDuration(std::chrono::hours(220)) == "9d 04h");
}

TEST_CASE("times are told from now") {
  const std::chrono::system_clock::time_point now(
      std::chrono::seconds(1'795'379'642));  // 2026-11-22T20:34:02Z
  CHECK(HumanTime("2026-11-22T21:16:12.000Z", now) == "in 42m 10s");
  CHECK(HumanTime("2026-11-22T20:33:59.000Z", now) == "3s ago");
  CHECK(HumanTime("", now).empty());
  CHECK(HumanTime("soon", now) == "soon");
}

TEST_CASE("fields of another type are absent, not an error") {
  const Json json = ParseJson(
      R"({"a":{"b":"x"},"n":7,"t":true,"neg":-1,"l":["p","q"],"z":null})");
  CHECK(TextAt(json, "/a/b") == "x");
  CHECK(TextAt(json, "/n") == "7");
  CHECK(TextAt(json, "/t") == "yes");
  CHECK(TextAt(json, "/a").empty());
  CHECK(TextAt(json, "/z").empty());
  CHECK(TextAt(json, "/n/deeper").empty());
  CHECK(CountAt(json, "/n") == 7);
  CHECK(CountAt(json, "/neg") == 0);
  CHECK(CountAt(json, "/a/b") == 0);
  CHECK(BoolAt(json, "/t"));
  CHECK_FALSE(BoolAt(json, "/n"));
  CHECK(JoinedAt(json, "/l") == "p, q");
  CHECK(ListAt(json, "/absent").empty());
  CHECK(ListAt(json, "/n").empty());
  CHECK(TextAt(Json::array(), "/a/b").empty());
}

}  // namespace
}  // namespace kith
