// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "agent/runtime/file_descriptor.h"

namespace kith {

// BpfMap is a typed view of a BPF map. Thread-safe, as the kernel's maps are.
// Errors name the map; NotFound and AlreadyExists are the kernel's ENOENT and
// EEXIST.
template <typename Key, typename Value>
class BpfMap {
 public:
  BpfMap() = default;
  BpfMap(FileDescriptor fd, std::string name)
      : fd_(std::move(fd)), name_(std::move(name)) {}

  int fd() const { return fd_.get(); }

  absl::StatusOr<Value> Lookup(const Key &key) const {
    Value value{};
    if (bpf_map_lookup_elem(fd_.get(), &key, &value) != 0) {
      return Error("lookup");
    }
    return value;
  }

  // `flags` is BPF_ANY, BPF_NOEXIST or BPF_EXIST.
  absl::Status Update(const Key &key, const Value &value, uint64_t flags) {
    if (bpf_map_update_elem(fd_.get(), &key, &value, flags) != 0) {
      return Error("update");
    }
    return absl::OkStatus();
  }

  absl::Status Delete(const Key &key) {
    if (bpf_map_delete_elem(fd_.get(), &key) != 0) {
      return Error("delete");
    }
    return absl::OkStatus();
  }

  // Take deletes the element and returns it (Linux 5.14 for hashes).
  absl::StatusOr<Value> Take(const Key &key) {
    Value value{};
    if (bpf_map_lookup_and_delete_elem(fd_.get(), &key, &value) != 0) {
      return Error("lookup and delete");
    }
    return value;
  }

  // Keys returns the keys of a map that may change meanwhile: each key that
  // stays is returned unless a key that was just read is deleted.
  std::vector<Key> Keys() const {
    std::vector<Key> keys;
    Key key{};
    const Key *previous = nullptr;
    while (bpf_map_get_next_key(fd_.get(), previous, &key) == 0) {
      keys.push_back(key);
      previous = &keys.back();
    }
    return keys;
  }

  void Clear() {
    for (const Key &key : Keys()) {
      (void)bpf_map_delete_elem(fd_.get(), &key);
    }
  }

 private:
  absl::Status Error(const char *call) const {
    return absl::ErrnoToStatus(errno, absl::StrCat(call, " in map ", name_));
  }

  FileDescriptor fd_;
  std::string name_;
};

}  // namespace kith
