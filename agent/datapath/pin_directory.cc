// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/pin_directory.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

#include "agent/datapath/bpffs.h"

namespace kith {

namespace fs = std::filesystem;

PinDirectory PinDirectory::Find(const std::string &state_name) {
  PinDirectory directory(state_name);
  if (auto bpffs = FindBpffs(); bpffs.has_value()) {
    directory.path_ = absl::StrCat(*bpffs, "/kith/", state_name);
  }
  return directory;
}

std::string PinDirectory::MapName(std::string_view map) {
  return absl::StrCat("map_", map);
}

std::string PinDirectory::LinkName(std::string_view program) {
  return absl::StrCat("link_", program);
}

std::string PinDirectory::NetnsLinkName(uint64_t netns_cookie) {
  return absl::StrCat("netns_", netns_cookie);
}

absl::Status PinDirectory::Create() {
  auto bpffs = FindOrMountBpffs();
  if (!bpffs.ok()) {
    return bpffs.status();
  }
  path_ = absl::StrCat(*bpffs, "/kith/", state_name_);
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("mkdir ", path_));
  }
  fs::permissions(path_, fs::perms::owner_all, error);
  return absl::OkStatus();
}

FileDescriptor PinDirectory::Open(const std::string &name) const {
  if (path_.empty()) {
    return FileDescriptor();
  }
  return FileDescriptor(bpf_obj_get(absl::StrCat(path_, "/", name).c_str()));
}

absl::Status PinDirectory::Pin(int fd, const std::string &name) const {
  const std::string path = absl::StrCat(path_, "/", name);
  Unpin(name);
  if (bpf_obj_pin(fd, path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("pinning ", path));
  }
  return absl::OkStatus();
}

void PinDirectory::Unpin(const std::string &name) const {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove(absl::StrCat(path_, "/", name), ignored);
  }
}

std::vector<std::string> PinDirectory::Names() const {
  std::vector<std::string> names;
  if (path_.empty()) {
    return names;
  }
  std::error_code error;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

void PinDirectory::Remove() const {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
}

}  // namespace kith
