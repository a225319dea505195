// SPDX-License-Identifier: Apache-2.0
#include "agent/svidfiles/svid_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "agent/runtime/log.h"

namespace kith {
namespace {

// No event reports a new process, or a change of its user.
constexpr absl::Duration kLookAgain = absl::Seconds(1);

// Each takes some kilobytes of memory; no node has as many users.
constexpr size_t kMaxPlaces = 1024;

bool WantsFiles(const WorkloadIdentity &identity) {
  return !identity.x509_files.empty() || !identity.jwt_files.empty();
}

}  // namespace

SvidFiles::SvidFiles(Parts parts)
    : parts_(std::move(parts)),
      identities_(parts_.host, parts_.attestor, parts_.resources) {}

void SvidFiles::Start() {
  thread_ = std::thread([this] { Run(); });
}

void SvidFiles::Notify() {
  absl::MutexLock lock(&mutex_);
  changed_ = true;
}

void SvidFiles::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

// Logged once, not each second.
void SvidFiles::Report(std::string &last, const absl::Status &status) {
  const std::string error(status.message());
  if (!status.ok() && error != last) {
    Log(LogLevel::kError, "SVID files not written", {{"error", error}});
  }
  last = error;
}

// Files of a former agent are removed when the directory is opened. Only an
// agent whose documents want files makes one.
bool SvidFiles::OpenRoot() {
  if (root_.has_value()) {
    return true;
  }
  auto root = MemoryDirectory::Open(parts_.root);
  Report(root_error_, root.status());
  if (root.ok()) {
    root_ = *std::move(root);
  }
  return root_.has_value();
}

std::map<FilePlace, SvidFiles::Identity> SvidFiles::Wanted() {
  std::map<FilePlace, Identity> wanted;
  for (const auto &[process, identity] : identities_.current()) {
    if (identity == nullptr) {
      continue;
    }
    for (const std::string *name :
         {&identity->x509_files, &identity->jwt_files}) {
      if (!name->empty()) {
        wanted.emplace(FilePlace{process.uid, *name}, identity);
      }
    }
  }
  absl::Status bounded = absl::OkStatus();
  if (wanted.size() > kMaxPlaces) {
    bounded = absl::ResourceExhaustedError(absl::StrCat(
        "files for more than ", kMaxPlaces, " users and directories"));
    wanted.erase(std::next(wanted.begin(), kMaxPlaces), wanted.end());
  }
  Report(bound_error_, bounded);
  return wanted;
}

void SvidFiles::Drop(const FilePlace &place) {
  Log(LogLevel::kInfo,
      "SVID files removed",
      {{"directory", root_->PathOf(place)}});
  if (auto removed = root_->Remove(place); !removed.ok()) {
    Log(LogLevel::kError,
        "SVID files not removed",
        {{"directory", root_->PathOf(place)}, {"error", removed.message()}});
  }
}

// Without a valid SVID there are no files: an application must not continue
// with an invalid one.
void SvidFiles::Update(const FilePlace &place, const Identity &identity) {
  WrittenFiles &written = written_[place];
  auto svid = parts_.svids.Get(identity->spiffe_id);
  if (written.identity != nullptr &&
      (!svid.ok() || !HaveSameFiles(*written.identity, *identity))) {
    Drop(place);
    const std::string error = std::move(written.error);
    written = WrittenFiles{};
    written.error = error;
  }
  absl::Status status = svid.status();
  if (svid.ok()) {
    written.identity = identity;
    if (place.name == identity->x509_files) {
      status = WriteX509Files(parts_.svids, *root_, place, *svid, written);
    }
    if (place.name == identity->jwt_files) {
      status.Update(WriteTokenFiles(parts_.svids, *root_, place, written));
    }
  }
  Report(written.error, status);
}

void SvidFiles::Refresh() {
  const auto resources = parts_.resources();
  const bool wants = std::ranges::any_of(
      resources->identities,
      [](const auto &identity) { return WantsFiles(*identity); });
  if ((!wants && written_.empty()) || !OpenRoot()) {
    return;
  }
  if (auto looked = identities_.Look(); !looked.ok()) {
    Report(root_error_, looked);
    return;
  }
  const auto wanted = Wanted();
  std::erase_if(written_, [&](const auto &item) {
    const bool gone = !wanted.contains(item.first);
    if (gone && item.second.identity != nullptr) {
      Drop(item.first);
    }
    return gone;
  });
  for (const auto &[place, identity] : wanted) {
    Update(place, identity);
  }
}

bool SvidFiles::WaitForNews() {
  absl::MutexLock lock(&mutex_);
  (void)mutex_.AwaitWithTimeout(absl::Condition(
                                    +[](SvidFiles *files) {
                                      files->mutex_.AssertHeld();
                                      return files->changed_ ||
                                             files->stopping_;
                                    },
                                    this),
                                kLookAgain);
  changed_ = false;
  return !stopping_;
}

void SvidFiles::Run() {
  std::error_code error;
  if (std::filesystem::is_directory(parts_.root, error)) {
    (void)OpenRoot();  // even if no document wants files now
  }
  do {
    Refresh();
  } while (WaitForNews());
  if (root_.has_value()) {
    Report(root_error_, root_->Clear());
  }
}

}  // namespace kith
