// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/proc_text.h"

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

constexpr std::string_view kAfterComm =
    " S 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 12345 1000000 200";

TEST_CASE("stat is read behind any comm") {
  for (std::string_view comm :
       {"cat", "a b", "a) R 1 2 (b", ") ", "((", "x\ny", ""}) {
    std::string text = "42 (" + std::string(comm) + ")";
    text += kAfterComm;
    auto stat = ParseStat(text);
    REQUIRE(stat.ok());
    CHECK(stat->state == 'S');
    CHECK(stat->start_ticks == 12345);
  }
}

TEST_CASE("a stat that is cut or no stat is refused") {
  for (std::string_view text :
       {"", "42", "42 (cat", "42 (cat) ", "42 (cat) S 1 2 3", "42 (cat) SS"}) {
    CHECK(absl::IsDataLoss(ParseStat(text).status()));
  }
  std::string text = "42 (cat)" + std::string(kAfterComm);
  text.replace(text.find("12345"), 5, "-2345");
  CHECK(absl::IsDataLoss(ParseStat(text).status()));
}

TEST_CASE("credentials of status") {
  auto credentials = ParseCredentials(
      "Name:\ta\\nUid:\t0\t0\t0\t0\nUmask:\t0022\n"
      "Uid:\t1000\t1001\t1002\t1003\nGid:\t10\t11\t12\t13\n"
      "Groups:\t4 24 4294967294 \nNStgid:\t1\n");
  REQUIRE(credentials.ok());
  CHECK(credentials->real_uid == 1000);
  CHECK(credentials->effective_uid == 1001);
  CHECK(credentials->real_gid == 10);
  CHECK(credentials->effective_gid == 11);
  CHECK(credentials->groups == std::vector<uint32_t>{4, 24, 4294967294});
}

TEST_CASE("a process may have no additional groups") {
  auto credentials =
      ParseCredentials("Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \n");
  REQUIRE(credentials.ok());
  CHECK(credentials->groups.empty());
}

TEST_CASE("incomplete credentials are refused") {
  for (std::string_view text :
       {"",
        "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
        "Uid:\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\n",
        "Uid:\t0\t0\t0\tx\nGid:\t0\t0\t0\t0\nGroups:\t\n",
        "Uid:\t-1\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\n"}) {
    CHECK(absl::IsDataLoss(ParseCredentials(text).status()));
  }
}

TEST_CASE("the cgroup is the v2 line, on hybrid hosts too") {
  CHECK(*ParseCgroup("0::/system.slice/a b.service\n") ==
        "/system.slice/a b.service");
  CHECK(*ParseCgroup("9:name=systemd:/wrong\n4:memory:/x\n0::/right\n") ==
        "/right");
  CHECK(*ParseCgroup("1:name=0::/wrong:/x\n0::/\n") == "/");
  CHECK(absl::IsNotFound(ParseCgroup("4:memory:/x\n").status()));
  CHECK(absl::IsDataLoss(ParseCgroup("0::relative\n").status()));
}

TEST_CASE("arguments become one line") {
  using std::string_literals::operator""s;
  CHECK(JoinArguments("nginx\0-g\0daemon off;\0"s) == "nginx -g daemon off;");
  CHECK(JoinArguments("sh\0-c\0a\nb\0"s) == "sh -c a\nb");
  CHECK(JoinArguments("nginx: worker process\0\0\0\0"s) ==
        "nginx: worker process");
  CHECK(JoinArguments("a\0\0b\0"s) == "a  b");
  CHECK(JoinArguments("").empty());
  CHECK(JoinArguments("\0\0"s).empty());
}

TEST_CASE("the path of an executable") {
  CHECK(*ParseExePath("/usr/sbin/nginx", 1) == "/usr/sbin/nginx");
  CHECK(*ParseExePath("/a b/c\nd", 1) == "/a b/c\nd");
  CHECK(*ParseExePath("/usr/sbin/nginx (deleted)", 0) == "/usr/sbin/nginx");
  CHECK(*ParseExePath("/x (deleted) (deleted)", 0) == "/x (deleted)");
  CHECK(absl::IsFailedPrecondition(
      ParseExePath("/usr/sbin/nginx (deleted)", 1).status()));
  CHECK(absl::IsNotFound(ParseExePath("/memfd:nginx (deleted)", 0).status()));
  CHECK(absl::IsNotFound(ParseExePath("(unreachable)/x", 1).status()));
}

TEST_CASE("mounts of mountinfo") {
  constexpr std::string_view kText =
      "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
      "garbage\n"
      "30 22 0:27 /sub /mnt/a\\040b\\134 rw shared:1 master:2 - cgroup2 x rw\n";
  auto mount = FindMount(kText, [](const Mount &m) { return m.id == 30; });
  REQUIRE(mount.has_value());
  CHECK(mount->device == 27);
  CHECK(mount->root == "/sub");
  CHECK(mount->mount_point == "/mnt/a b\\");
  CHECK(mount->type == "cgroup2");
  mount = FindMount(kText, [](const Mount &) { return true; });
  CHECK(mount->device == (254U << 20));
  CHECK_FALSE(FindMount("", [](const Mount &) { return true; }).has_value());
}

TEST_CASE("the boot time offset of a time namespace") {
  CHECK(BoottimeOffset("monotonic           0         0\n"
                       "boottime            0         0\n") == 0);
  CHECK(BoottimeOffset("monotonic           5         0\n"
                       "boottime          -10 500000000\n") == -9'500'000'000);
  CHECK(BoottimeOffset("") == 0);
}

}  // namespace
}  // namespace kith
