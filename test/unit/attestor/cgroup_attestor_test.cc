// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/cgroup_attestor.h"

#include <catch2/catch_test_macros.hpp>

#include "test/unit/attestor/fake_proc.h"

namespace kith {
namespace {

const std::string kId(64, 'a');

TEST_CASE("the systemd unit of a cgroup") {
  CHECK(SystemdUnit("/system.slice/nginx.service") == "nginx.service");
  CHECK(SystemdUnit("/system.slice/nginx.service/sub") == "nginx.service");
  CHECK(SystemdUnit("/init.scope") == "init.scope");
  CHECK(SystemdUnit("/system.slice/system-getty.slice/getty@tty1.service") ==
        "getty@tty1.service");
  CHECK(SystemdUnit("/user.slice/user-0.slice/session-3.scope") ==
        "session-3.scope");
  CHECK(SystemdUnit("/a.slice/_cpu.service") == "cpu.service");
}

TEST_CASE("nobody can name a unit from inside another one") {
  CHECK(SystemdUnit("/user.slice/user-1000.slice/user@1000.service/app.slice/"
                    "nginx.service") == "user@1000.service");
  CHECK(SystemdUnit("/system.slice/x.service/nginx.service") == "x.service");
  CHECK_FALSE(SystemdUnit("/docker/" + kId + "/system.slice/nginx.service")
                  .has_value());
}

TEST_CASE("cgroups without a unit") {
  for (const char *path :
       {"/", "/system.slice", "/kubepods/pod1", "/.service", "/nginx"}) {
    CAPTURE(path);
    CHECK_FALSE(SystemdUnit(path).has_value());
  }
}

TEST_CASE("the container id of a cgroup") {
  CHECK(ContainerId("/docker/" + kId) == kId);
  CHECK(ContainerId("/system.slice/docker-" + kId + ".scope") == kId);
  CHECK(ContainerId("/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-" +
                    kId + ".scope") == kId);
  CHECK(ContainerId("/kubepods/burstable/pod1-2/" + kId + "/sub") == kId);
  CHECK(ContainerId("/machine.slice/libpod-" + kId + ".scope/container") ==
        kId);
}

TEST_CASE("a container cannot name another one") {
  const std::string other(64, 'b');
  CHECK(ContainerId("/docker/" + kId + "/docker/" + other) == kId);
  CHECK_FALSE(ContainerId("/user.slice/user-1000.slice/user@1000.service/"
                          "user.slice/libpod-" +
                          kId + ".scope")
                  .has_value());
}

TEST_CASE("names that are no container ids") {
  for (const std::string &name : {std::string(63, 'a'),
                                  std::string(65, 'a'),
                                  std::string(64, 'A'),
                                  std::string(64, 'g'),
                                  "docker-" + kId,
                                  kId + ".service"}) {
    CAPTURE(name);
    CHECK_FALSE(ContainerId("/system.slice/" + name).has_value());
  }
}

TEST_CASE("the id of a cgroup is its directory's inode") {
  FakeProc proc;
  proc.SetCgroup("/a b/c");
  auto root = CgroupRoot::Find(proc.path());
  REQUIRE(root.ok());
  CHECK(*root->IdOf("/a b/c") == proc.facts().cgroup_id);
  CHECK(absl::IsFailedPrecondition(root->IdOf("/missing").status()));
}

TEST_CASE("a mount of a part of the cgroup tree is not the root") {
  FakeProc proc;
  proc.Set("../self/mountinfo", "30 22 0:27 /sub /mnt rw - cgroup2 none rw\n");
  CHECK(absl::IsFailedPrecondition(CgroupRoot::Find(proc.path()).status()));
}

}  // namespace
}  // namespace kith
