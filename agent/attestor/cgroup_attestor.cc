// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/cgroup_attestor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "agent/attestor/proc_text.h"

namespace kith {
namespace {

constexpr size_t kContainerIdLength = 64;

bool IsContainerId(std::string_view text) {
  return text.size() == kContainerIdLength &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Whether a name is of a kind of unit that has processes of its own.
bool IsUnit(std::string_view name) {
  constexpr std::array<std::string_view, 5> kSuffixes = {
      ".service", ".scope", ".socket", ".mount", ".swap"};
  return std::any_of(
      kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
        return name.size() > suffix.size() && absl::EndsWith(name, suffix);
      });
}

class CgroupAttestor final : public Attestor {
 public:
  explicit CgroupAttestor(absl::StatusOr<CgroupRoot> root)
      : root_(std::move(root)) {}

  std::string_view name() const override { return "cgroup"; }
  std::vector<std::string> keys() const override {
    return {"cgroup:path", "cgroup:container:id", "systemd:id"};
  }

  absl::Status Attest(const ProcessView &process,
                      std::vector<Selector> &selectors) const override {
    if (!process.cgroup.ok()) {
      return process.cgroup.status();
    }
    const std::string &path = *process.cgroup;
    const std::string source = process.Source("cgroup");
    if (absl::Status same = CompareId(process, path, source); !same.ok()) {
      return same;
    }
    selectors.push_back({"cgroup:path", path, source});
    if (auto unit = SystemdUnit(path)) {
      selectors.push_back({"systemd:id", *std::move(unit), source});
    }
    if (auto id = ContainerId(path)) {
      selectors.push_back({"cgroup:container:id", *std::move(id), source});
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CompareId(const ProcessView &process,
                         const std::string &path,
                         const std::string &source) const {
    if (!root_.ok()) {
      return root_.status();
    }
    auto id = root_->IdOf(path);
    if (!id.ok()) {
      return id.status();
    }
    if (*id != process.facts.cgroup_id) {
      return absl::AbortedError(absl::StrCat(
          source,
          ": ",
          path,
          " is not the cgroup that the hook saw: the process was moved "
          "meanwhile"));
    }
    return absl::OkStatus();
  }

  const absl::StatusOr<CgroupRoot> root_;
};

}  // namespace

std::optional<std::string> SystemdUnit(std::string_view path) {
  for (std::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    // Names that cgroup files could have are escaped with one underscore.
    (void)absl::ConsumePrefix(&part, "_");
    if (!absl::EndsWith(part, ".slice")) {
      return IsUnit(part) ? std::optional<std::string>(part) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ContainerId(std::string_view path) {
  for (std::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (absl::StartsWith(part, "user@")) {
      return std::nullopt;
    }
    if (absl::ConsumeSuffix(&part, ".scope")) {
      part = part.substr(part.rfind('-') + 1);
    }
    if (IsContainerId(part)) {
      return std::string(part);
    }
  }
  return std::nullopt;
}

absl::StatusOr<CgroupRoot> CgroupRoot::Find(const std::string &proc) {
  const std::string path = absl::StrCat(proc, "/self/mountinfo");
  auto text = ReadTextFile(path, ProcDirectory::kMaxMountinfo);
  if (!text.ok()) {
    return text.status();
  }
  auto mount = FindMount(*text, [](const Mount &candidate) {
    // A bind mount of a sub-tree does not show the paths of /proc/PID/cgroup.
    return candidate.type == "cgroup2" && candidate.root == "/";
  });
  if (!mount.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": no mount of cgroup2: mount -t cgroup2 none /sys/fs/cgroup"));
  }
  return CgroupRoot(std::move(mount->mount_point));
}

absl::StatusOr<uint64_t> CgroupRoot::IdOf(std::string_view path) const {
  const std::string directory = absl::StrCat(mount_point_, path);
  struct stat stat {};
  if (lstat(directory.c_str(), &stat) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(absl::ErrnoToStatus(errno, "lstat ").message(),
                     directory,
                     ": the agent must see the whole cgroup v2 tree, in the "
                     "initial cgroup namespace"));
  }
  return stat.st_ino;
}

std::unique_ptr<Attestor> CreateCgroupAttestor(
    absl::StatusOr<CgroupRoot> root) {
  return std::make_unique<CgroupAttestor>(std::move(root));
}

}  // namespace kith
