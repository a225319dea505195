// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/os_attestor.h"

#include <sys/utsname.h>

#include <cerrno>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace kith {
namespace {

constexpr size_t kMaxOsRelease = 64U << 10;

// A value of os-release(5): shell quoting without expansions.
std::string Unquote(std::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const bool quoted = text.size() >= 2 &&
                      (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  const bool escapes = quoted && text.front() == '"';
  if (quoted) {
    text = text.substr(1, text.size() - 2);
  }
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (escapes && text[i] == '\\' && i + 1 < text.size()) {
      ++i;
    }
    out.push_back(text[i]);
  }
  return out;
}

struct OsRelease {
  std::string path;
  std::map<std::string, std::string> values;
};

std::map<std::string, std::string> ParseOsRelease(std::string_view text) {
  std::map<std::string, std::string> values;
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      values[std::string(line.substr(0, equals))] =
          Unquote(line.substr(equals + 1));
    }
  }
  return values;
}

absl::StatusOr<OsRelease> ReadOsRelease(const std::vector<std::string> &paths) {
  for (const std::string &path : paths) {
    auto text = ReadTextFile(path, kMaxOsRelease);
    auto values = ParseOsRelease(text.value_or(""));
    if (!values.empty()) {
      return OsRelease{.path = path, .values = std::move(values)};
    }
  }
  return absl::NotFoundError(
      absl::StrCat("no os-release(5) file at ", absl::StrJoin(paths, ", ")));
}

absl::StatusOr<std::vector<Selector>> ReadSelectors(
    const std::vector<std::string> &os_release) {
  auto release = ReadOsRelease(os_release);
  if (!release.ok()) {
    return release.status();
  }
  utsname kernel{};
  if (uname(&kernel) != 0) {
    return absl::ErrnoToStatus(errno, "uname");
  }
  std::vector<Selector> selectors;
  const std::pair<const char *, const char *> fields[] = {
      {"linuxos:name", "ID"},
      {"linuxos:name", "NAME"},
      {"linuxos:version", "VERSION_ID"},
      {"linuxos:version", "VERSION"},
      {"linuxos:version", "PRETTY_NAME"}};
  for (const auto &[key, field] : fields) {
    if (auto value = release->values.find(field);
        value != release->values.end() && !value->second.empty()) {
      selectors.push_back({key, value->second, release->path});
    }
  }
  selectors.push_back({"linuxos:kernel:release", kernel.release, "uname(2)"});
  selectors.push_back({"linuxos:kernel:version", kernel.version, "uname(2)"});
  return selectors;
}

class OsAttestor final : public Attestor {
 public:
  explicit OsAttestor(absl::StatusOr<std::vector<Selector>> selectors)
      : selectors_(std::move(selectors)) {}

  std::string_view name() const override { return "linux os"; }
  std::vector<std::string> keys() const override {
    return {"linuxos:name",
            "linuxos:version",
            "linuxos:kernel:release",
            "linuxos:kernel:version"};
  }

  absl::Status Attest(const ProcessView & /*process*/,
                      std::vector<Selector> &selectors) const override {
    if (selectors_.ok()) {
      selectors.insert(selectors.end(), selectors_->begin(), selectors_->end());
    }
    return selectors_.status();
  }

 private:
  const absl::StatusOr<std::vector<Selector>> selectors_;
};

}  // namespace

std::unique_ptr<Attestor> CreateOsAttestor(
    const std::vector<std::string> &os_release) {
  return std::make_unique<OsAttestor>(ReadSelectors(os_release));
}

}  // namespace kith
