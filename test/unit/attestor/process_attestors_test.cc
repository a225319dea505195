// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/process_attestors.h"

#include <map>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using Values = std::multimap<std::string, std::string>;

// What an attestor says of `view`; empty with an error.
struct Answer {
  absl::Status status;
  Values values;
};

Answer Ask(const std::unique_ptr<Attestor> &attestor, const ProcessView &view) {
  std::vector<Selector> selectors;
  Answer answer;
  answer.status = attestor->Attest(view, selectors);
  for (const Selector &selector : selectors) {
    answer.values.emplace(selector.key, selector.value);
  }
  return answer;
}

TEST_CASE("process:name is comm and the executable's base name") {
  ProcessView view;
  view.comm = "python3";
  view.exe_path = "/usr/bin/python3.11";
  CHECK(Ask(CreateNameAttestor(), view).values ==
        Values{{"process:name", "python3"}, {"process:name", "python3.11"}});

  view.exe_path = "/usr/bin/python3";
  CHECK(Ask(CreateNameAttestor(), view).values ==
        Values{{"process:name", "python3"}});
}

TEST_CASE("a process without an executable has a name; a hidden one has not") {
  ProcessView view;
  view.comm = "kworker/0:1";
  view.exe_path = absl::NotFoundError("kernel thread");
  CHECK(Ask(CreateNameAttestor(), view).values ==
        Values{{"process:name", "kworker/0:1"}});
  CHECK(absl::IsNotFound(Ask(CreateBinaryPathAttestor(), view).status));

  view.exe_path = absl::PermissionDeniedError("hidden");
  CHECK(absl::IsPermissionDenied(Ask(CreateNameAttestor(), view).status));
  CHECK(absl::IsPermissionDenied(Ask(CreateBinaryPathAttestor(), view).status));
}

TEST_CASE("cmdline and path are passed on byte for byte") {
  ProcessView view;
  view.cmdline = "x --y \n z\xff";
  view.exe_path = "/a b/\nc";
  CHECK(Ask(CreateCmdlineAttestor(), view).values ==
        Values{{"process:cmdline", "x --y \n z\xff"}});
  CHECK(Ask(CreateBinaryPathAttestor(), view).values ==
        Values{{"process:binary:path", "/a b/\nc"}});
  view.cmdline = absl::NotFoundError("empty");
  CHECK(absl::IsNotFound(Ask(CreateCmdlineAttestor(), view).status));
}

TEST_CASE("the effective user is the hook's") {
  ProcessView view;
  view.facts.uid = 33;
  view.facts.gid = 34;
  view.credentials = absl::PermissionDeniedError("hidden");
  const Answer answer = Ask(CreateEffectiveUserAttestor(), view);
  CHECK(answer.status.ok());
  CHECK(answer.values == Values{{"process:uid", "33"},
                                {"process:uid:effective", "33"},
                                {"process:gid", "34"},
                                {"process:gid:effective", "34"}});
}

TEST_CASE("the real user needs a status that agrees with the hook") {
  ProcessView view;
  view.facts.uid = 33;
  view.facts.gid = 34;
  view.credentials = ProcessCredentials{.real_uid = 1,
                                        .effective_uid = 33,
                                        .real_gid = 2,
                                        .effective_gid = 34,
                                        .groups = {5, 6}};
  CHECK(Ask(CreateRealUserAttestor(), view).values ==
        Values{{"process:uid:real", "1"},
               {"process:gid:real", "2"},
               {"process:gid:additional", "5"},
               {"process:gid:additional", "6"}});

  view.facts.uid = 0;
  Answer answer = Ask(CreateRealUserAttestor(), view);
  CHECK(absl::IsAborted(answer.status));
  CHECK(answer.values.empty());
  view.facts.uid = 33;
  view.facts.gid = 0;
  CHECK(absl::IsAborted(Ask(CreateRealUserAttestor(), view).status));
  view.credentials = absl::PermissionDeniedError("hidden");
  CHECK(absl::IsPermissionDenied(Ask(CreateRealUserAttestor(), view).status));
}

TEST_CASE("an attestor names every key that it gives") {
  ProcessView view;
  view.comm = "a";
  view.cmdline = "a";
  view.exe_path = "/a";
  view.credentials = ProcessCredentials{.groups = {1}};
  for (const auto &attestor : {CreateNameAttestor(),
                               CreateCmdlineAttestor(),
                               CreateBinaryPathAttestor(),
                               CreateEffectiveUserAttestor(),
                               CreateRealUserAttestor()}) {
    const Values values = Ask(attestor, view).values;
    const std::vector<std::string> keys = attestor->keys();
    CHECK_FALSE(values.empty());
    for (const auto &[key, value] : values) {
      CHECK(std::find(keys.begin(), keys.end(), key) != keys.end());
    }
    for (const std::string &key : keys) {
      CHECK(values.contains(key));
    }
  }
}

}  // namespace
}  // namespace kith
