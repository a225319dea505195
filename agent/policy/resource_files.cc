// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/resource_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kith {
namespace {

namespace fs = std::filesystem;

bool IsDocumentName(const fs::path &path) {
  const fs::path extension = path.extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

absl::Status Failed(std::string_view call,
                    const fs::path &path,
                    const std::error_code &error) {
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat(call, " ", path.native()));
}

absl::StatusOr<std::vector<fs::path>> ListSorted(const fs::path &directory) {
  std::error_code error;
  std::vector<fs::path> paths;
  fs::directory_iterator it(directory, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (!absl::StartsWith(it->path().filename().native(), ".")) {
      paths.push_back(it->path());
    }
  }
  if (error) {
    return Failed("read directory", directory, error);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::Status AddDirectory(const fs::path &directory,
                          int depth,
                          ResourceFiles &out);

absl::Status AddEntry(const fs::path &path, int depth, ResourceFiles &out) {
  std::error_code error;
  const bool is_directory = fs::is_directory(path, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return Failed("stat", path, error);
  }
  if (is_directory) {
    return AddDirectory(path, depth, out);
  }
  if (!IsDocumentName(path)) {
    return absl::OkStatus();
  }
  if (out.files.size() >= kMaxResourceFiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", kMaxResourceFiles, " resource files"));
  }
  out.files.push_back(path.native());
  return absl::OkStatus();
}

absl::Status AddDirectory(const fs::path &directory,
                          int depth,
                          ResourceFiles &out) {
  if (depth >= kMaxResourceDepth ||
      out.directories.size() >= kMaxResourceFiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat(directory.native(),
                     ": directories deeper than ",
                     kMaxResourceDepth,
                     " levels or too many; is there a loop of links?"));
  }
  out.directories.push_back(directory.native());
  auto paths = ListSorted(directory);
  if (!paths.ok()) {
    return paths.status();
  }
  for (const fs::path &path : *paths) {
    if (auto status = AddEntry(path, depth + 1, out); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FindResourceFiles(const std::vector<std::string> &paths,
                               ResourceFiles &out) {
  for (const fs::path path : paths) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::directory) {
      if (auto added = AddDirectory(path, 0, out); !added.ok()) {
        return added;
      }
    } else if (status.type() != fs::file_type::not_found) {
      out.files.push_back(path.native());  // the read reports what is wrong
    } else if (IsDocumentName(path)) {
      return absl::NotFoundError(
          absl::StrCat("resources: ", path.native(), " does not exist"));
    }
  }
  return absl::OkStatus();
}

}  // namespace kith
