// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/sha256.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include <openssl/sha.h>

namespace kith {
namespace {

constexpr size_t kReadBytes = size_t{1} << 18;

std::string FinalHex(SHA256_CTX &sha) {
  std::array<char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(reinterpret_cast<uint8_t *>(digest.data()), &sha);
  return absl::BytesToHexString(std::string_view(digest.data(), digest.size()));
}

}  // namespace

absl::StatusOr<std::string> Sha256OfFile(int fd, uint64_t max_bytes) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) {
    return absl::ErrnoToStatus(errno, "fstat of a file to hash");
  }
  if (!S_ISREG(file.st_mode)) {
    return absl::InvalidArgumentError("only regular files are hashed");
  }
  const auto size = static_cast<uint64_t>(file.st_size);
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the file has ", size, " bytes, more than ", max_bytes));
  }
  SHA256_CTX sha{};
  SHA256_Init(&sha);
  std::vector<uint8_t> buffer(kReadBytes);
  uint64_t done = 0;
  while (done <= size) {  // one read past the end sees a file that grew
    const ssize_t n =
        ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return absl::ErrnoToStatus(errno, "pread of a file to hash");
    }
    if (n == 0) {
      break;
    }
    SHA256_Update(&sha, buffer.data(), static_cast<size_t>(n));
    done += static_cast<uint64_t>(n);
  }
  if (done != size) {
    return absl::AbortedError("the file changed its size while it was hashed");
  }
  return FinalHex(sha);
}

std::string Sha256Hex(std::string_view bytes) {
  SHA256_CTX sha{};
  SHA256_Init(&sha);
  SHA256_Update(&sha, bytes.data(), bytes.size());
  return FinalHex(sha);
}

}  // namespace kith
