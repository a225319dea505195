// SPDX-License-Identifier: Apache-2.0
#include "agent/attestor/binary_hash.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/attestor/single_flight_cache.h"

namespace kith {
namespace {

// More than the distinct network programs of any node; 200 bytes each.
constexpr size_t kMaxHashes = 1024;

// dev, inode, ctime seconds and nanoseconds, size
using BinaryKey = std::tuple<uint64_t, uint64_t, int64_t, int64_t, int64_t>;

absl::StatusOr<BinaryKey> KeyOf(int fd) {
  struct stat stat {};
  if (fstat(fd, &stat) != 0) {
    return absl::ErrnoToStatus(errno, "fstat");
  }
  if (!S_ISREG(stat.st_mode)) {
    return absl::FailedPreconditionError("not a regular file");
  }
  if (static_cast<uint64_t>(stat.st_size) > kMaxHashedBytes) {
    return absl::FailedPreconditionError(absl::StrCat(
        stat.st_size, " bytes; only up to ", kMaxHashedBytes, " are hashed"));
  }
  return BinaryKey{stat.st_dev,
                   stat.st_ino,
                   stat.st_ctim.tv_sec,
                   stat.st_ctim.tv_nsec,
                   stat.st_size};
}

// A file server in user space may return other bytes than it executes, or none
// for ever.
absl::Status RefuseFuse(int fd) {
  struct statfs file_system {};
  if (fstatfs(fd, &file_system) != 0) {
    return absl::ErrnoToStatus(errno, "fstatfs");
  }
  if (file_system.f_type == FUSE_SUPER_MAGIC) {
    return absl::FailedPreconditionError(
        "the executable is on a FUSE file system, whose contents cannot be "
        "trusted: use process:binary:path");
  }
  return absl::OkStatus();
}

class BinaryHashAttestor final : public Attestor {
 public:
  BinaryHashAttestor(
      std::function<absl::StatusOr<std::string>(int fd)> sha256_of,
      std::function<bool()> wanted)
      : sha256_of_(std::move(sha256_of)), wanted_(std::move(wanted)) {}

  std::string_view name() const override { return "process binary hash"; }
  std::vector<std::string> keys() const override {
    return {"process:binary:hash"};
  }

  absl::Status Attest(const ProcessView &process,
                      std::vector<Selector> &selectors) const override {
    if (!wanted_()) {
      return absl::OkStatus();
    }
    auto fd = process.directory->OpenExe();
    if (!fd.ok()) {
      return fd.status();
    }
    const std::string source = process.Source("exe");
    auto hash = HashOf(fd->get());
    if (!hash.ok()) {
      return absl::Status(
          hash.status().code(),
          absl::StrCat("hash of ", source, ": ", hash.status().message()));
    }
    selectors.push_back({"process:binary:hash", *std::move(hash), source});
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::string> HashOf(int fd) const {
    if (absl::Status trusted = RefuseFuse(fd); !trusted.ok()) {
      return trusted;
    }
    auto key = KeyOf(fd);
    if (!key.ok()) {
      return key.status();
    }
    return hashes_.FindOrMake(*key, [&]() -> absl::StatusOr<Hashes::Made> {
      auto hash = sha256_of_(fd);
      if (!hash.ok()) {
        return hash.status();
      }
      auto after = KeyOf(fd);
      if (!after.ok() || *after != *key) {
        return absl::AbortedError("the file changed while it was read");
      }
      return Hashes::Made{*std::move(hash)};
    });
  }

  using Hashes = SingleFlightCache<BinaryKey, std::string>;

  const std::function<absl::StatusOr<std::string>(int fd)> sha256_of_;
  const std::function<bool()> wanted_;
  mutable Hashes hashes_{kMaxHashes};
};

}  // namespace

std::unique_ptr<Attestor> CreateBinaryHashAttestor(
    std::function<absl::StatusOr<std::string>(int fd)> sha256_of,
    std::function<bool()> wanted) {
  return std::make_unique<BinaryHashAttestor>(std::move(sha256_of),
                                              std::move(wanted));
}

}  // namespace kith
