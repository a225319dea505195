// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/untouched.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"

#include "test/unit/policy/documents.h"

namespace kith {
namespace {

const std::string kHash =
    absl::StrCat("process:binary:hash: '", std::string(64, 'a'), "'");
const std::string kDisable = "connection: {tls: {mode: DISABLE}}\n";
const std::string kMutual = "connection: {tls: {mode: MUTUAL}}\n";
const std::string kPermissive = "connection: {tls: {mode: PERMISSIVE}}\n";

std::string Identity(const std::string &name,
                     const std::string &selectors,
                     const std::string &spec) {
  return IdentityYaml(
      name,
      absl::StrCat(
          "workloadID: ", name, "\nselectors: ", selectors, "\n", spec));
}

// One that nginx has, for every port.
std::string Nginx(const std::string &spec) {
  return Identity("a", "[{process:name: nginx}]", spec);
}

std::string Egress(const std::string &mode) {
  return absl::StrCat("egress: [{selectors: [{app: db}]", mode, "}]\n");
}

std::string Ingress(const std::string &port, const std::string &mode) {
  return absl::StrCat(
      "ingress: [{selectors: [{destination:port: ", port, "}]", mode, "}]\n");
}

const std::string kButDisable = ", connection: {tls: {mode: DISABLE}}";
const std::string kButMutual = ", connection: {tls: {mode: MUTUAL}}";
const std::string kButPermissive = ", connection: {tls: {mode: PERMISSIVE}}";

// nginx of root, whose executable could not be hashed.
Attestation Attested() {
  return {.selectors = {{"process:name", "nginx", "comm"},
                        {"process:cmdline", "nginx -g x", "cmdline"},
                        {"process:binary:path", "/usr/sbin/nginx", "exe"},
                        {"process:uid", "0", "status"},
                        {"cgroup:path", "/a", "cgroup"}},
          .failures = {{.attestor = "process binary hash",
                        .status = absl::UnavailableError("EIO"),
                        .keys = {"process:binary:hash"}}}};
}

struct Case {
  std::string what;
  std::string documents;
  bool outbound;
  bool inbound;
};

void Check(const Case &c) {
  CAPTURE(c.what);
  const Untouched found = FindUntouched(ReadOk(c.documents), Attested());
  CHECK(found.outbound == c.outbound);
  CHECK(found.inbound == c.inbound);
}

TEST_CASE("what one identity leaves alone") {
  Check(GENERATE(
      Case{"nobody's", "# none\n", true, true},
      Case{"another's",
           Identity("a", "[{process:name: curl}]", kMutual),
           true,
           true},
      Case{"MUTUAL", Nginx(kMutual), false, false},
      Case{"PERMISSIVE", Nginx(kPermissive), false, false},
      Case{"DISABLE", Nginx(kDisable), true, true},
      Case{"its egress too", Nginx(kDisable + Egress("")), true, true},
      Case{"said of egress", Nginx(kDisable + Egress(kButDisable)), true, true},
      Case{"not its egress", Nginx(kDisable + Egress(kButMutual)), false, true},
      Case{"nor PERMISSIVE",
           Nginx(kDisable + Egress(kButPermissive)),
           false,
           true},
      Case{"egress alone", Nginx(kMutual + Egress(kButDisable)), false, false},
      Case{"its ingress too", Nginx(kDisable + Ingress("1", "")), true, true},
      Case{"not its ingress",
           Nginx(kDisable + Ingress("1", kButMutual)),
           true,
           false},
      Case{"nor PERMISSIVE ingress",
           Nginx(kDisable + Ingress("1", kButPermissive)),
           true,
           false},
      Case{"ingress alone",
           Nginx(kMutual + Ingress("1", kButDisable)),
           false,
           false}));
}

TEST_CASE("identities by destination port") {
  const std::string at_80 = "[{process:name: nginx, destination:port: 80}]";
  Check(GENERATE_COPY(
      Case{"one is wrapped", Identity("a", at_80, kMutual), false, false},
      Case{"all are not", Identity("a", at_80, kDisable), true, true},
      Case{"the others are",
           Identity("a", at_80, kDisable) +
               Identity("b", "[{process:name: nginx}]", kMutual),
           false,
           false},
      Case{"one is, of those that are not",
           Identity("a", at_80, kMutual) +
               Identity("b", "[{process:name: nginx}]", kDisable),
           false,
           false},
      Case{"each of them is not",
           Identity("a", at_80, kDisable) +
               Identity("b", "[{process:name: nginx}]", kDisable),
           true,
           true},
      Case{"another's port",
           Identity(
               "a", "[{process:name: curl, destination:port: 80}]", kMutual),
           true,
           true}));
}

TEST_CASE("what is refused is not left alone") {
  Check(GENERATE(
      Case{"a tie",
           Nginx(kDisable) +
               Identity("b", "[{process:cmdline: nginx}]", kDisable),
           false,
           false},
      Case{"a tie at one port",
           Identity(
               "a", "[{process:name: nginx, destination:port: 80}]", kDisable) +
               Identity("b",
                        "[{process:cmdline: nginx, destination:port: 80}]",
                        kDisable),
           false,
           false},
      Case{"it may be a workload",
           Identity("a", "[{" + kHash + "}]", kMutual),
           false,
           false},
      Case{
          "it may be another one",
          Nginx(kDisable) +
              Identity("b", "[{process:name: nginx, " + kHash + "}]", kDisable),
          false,
          false}));
}

TEST_CASE("the most specific identity decides") {
  const std::string root = "[{process:name: nginx, process:uid: 0}]";
  const std::string path =
      "[{process:name: nginx, process:binary:path: /usr/sbin/nginx}]";
  Check(GENERATE_COPY(
      Case{"MUTUAL in general",
           Nginx(kMutual) + Identity("b", path, kDisable),
           true,
           false},  // not proven: each listener is decided about by itself
      Case{"MUTUAL in particular",
           Nginx(kDisable) + Identity("b", root, kMutual),
           false,
           false}));
}

TEST_CASE("a listener's owner may become another user's, or be moved") {
  Check(GENERATE(
      Case{"to an identity",
           Identity("a", "[{process:uid: 33}]", kMutual),
           true,
           false},
      Case{"of its own name",
           Identity("a", "[{process:name: nginx, cgroup:path: /b}]", kMutual),
           true,
           false},
      Case{"of its unit",
           Identity("a", "[{systemd:id: nginx.service}]", kPermissive),
           true,
           false},
      Case{"to one that is left alone",
           Identity("a", "[{process:uid: 33}]", kDisable),
           true,
           true},
      Case{"from one",
           Identity("a", "[{process:uid: 0}]", kDisable),
           true,
           true},
      Case{"but not another program's",
           Identity("a", "[{process:name: curl, process:uid: 33}]", kMutual),
           true,
           true},
      Case{"nor to what no attestor yields",
           Identity("a", "[{k8s:pod:namespace: x}]", kMutual),
           true,
           true}));
}

TEST_CASE("more ports than are looked at are not left alone") {
  std::string ports = "[1";
  for (int port = 2; port <= 63; ++port) {
    absl::StrAppend(&ports, ", ", port);
  }
  const auto at = [](const std::string &list) {
    return Identity("a",
                    "[{process:name: nginx, destination:port: " + list + "]}]",
                    kDisable);
  };
  Check({"as many as there may be", at(ports), true, true});
  Check({"one more", at(ports + ", 64"), false, false});
}

}  // namespace
}  // namespace kith
