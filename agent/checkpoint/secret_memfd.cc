// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/secret_memfd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

#include "agent/handshake/traffic_key.h"

namespace kith {
namespace {

constexpr long kSecretMemory = 0x5345434d;  // SECRETMEM_MAGIC, linux/magic.h
constexpr size_t kSecretBytes = 64;
static_assert(TrafficKey::kMaxSecretLength <= kSecretBytes);
constexpr size_t kBytes = Journal::kSlots * 4 * kSecretBytes;

absl::Status Missing(int error) {
  return absl::FailedPreconditionError(absl::StrCat(
      "this kernel has no memory for secrets that outlives a process: "
      "memfd_secret: ",
      strerrordesc_np(error),
      " (CONFIG_SECRETMEM; before Linux 6.5 boot with secretmem.enable=1)"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SecretMemfd>> SecretMemfd::Map(
    FileDescriptor fd) {
  auto memory = SharedMemory::Map(fd.get(), kBytes);
  if (!memory.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("memory for ",
                     kBytes,
                     " bytes of secrets: ",
                     memory.status().message(),
                     " (raise RLIMIT_MEMLOCK)"));
  }
  return std::unique_ptr<SecretMemfd>(
      new SecretMemfd(std::move(fd), *std::move(memory)));
}

absl::StatusOr<std::unique_ptr<SecretMemfd>> SecretMemfd::Create() {
  FileDescriptor fd(static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC)));
  if (!fd.valid()) {
    return Missing(errno);
  }
  if (ftruncate(fd.get(), kBytes) != 0) {
    return absl::ErrnoToStatus(errno, "ftruncate of memory for secrets");
  }
  return Map(std::move(fd));
}

absl::StatusOr<std::unique_ptr<SecretMemfd>> SecretMemfd::Open(
    FileDescriptor fd) {
  struct stat status {};
  struct statfs system {};
  if (fstat(fd.get(), &status) != 0 || fstatfs(fd.get(), &system) != 0 ||
      system.f_type != kSecretMemory ||
      status.st_size != static_cast<off_t>(kBytes)) {
    return absl::InvalidArgumentError("no memory for secrets of kept flows");
  }
  return Map(std::move(fd));
}

CheckpointSecrets SecretMemfd::At(size_t direction) const {
  uint8_t *first = memory_.data() + direction * 2 * kSecretBytes;
  return {std::span(first, kSecretBytes),
          std::span(first + kSecretBytes, kSecretBytes)};
}

void SecretMemfd::Wipe(size_t slot) {
  explicit_bzero(sending(slot)[0].data(), 4 * kSecretBytes);
}

}  // namespace kith
