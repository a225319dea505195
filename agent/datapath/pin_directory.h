// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// PinDirectory is <bpffs>/kith/<state_name>: the BPF objects that an agent
// leaves to the next agent of the same name. The directory may be absent.
class PinDirectory {
 public:
  // Find returns the directory of `state_name`, which need not exist, in the
  // mounted BPF file system; an absent one if none is mounted.
  static PinDirectory Find(const std::string &state_name);

  static std::string MapName(std::string_view map);
  static std::string LinkName(std::string_view program);
  static std::string NetnsLinkName(uint64_t netns_cookie);

  // Create makes the directory, mounting a BPF file system if there is none.
  absl::Status Create();

  // Open returns a pinned object; invalid if there is none.
  FileDescriptor Open(const std::string &name) const;

  // Pin gives the object a name, replacing the object that had it.
  absl::Status Pin(int fd, const std::string &name) const;

  void Unpin(const std::string &name) const;
  std::vector<std::string> Names() const;

  // Remove removes the directory with everything in it.
  void Remove() const;

 private:
  explicit PinDirectory(std::string state_name)
      : state_name_(std::move(state_name)) {}

  std::string state_name_;
  std::string path_;  // empty: no BPF file system
};

}  // namespace kith
