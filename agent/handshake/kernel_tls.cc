// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/kernel_tls.h"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include <openssl/mem.h>

#ifndef TCP_ULP
#define TCP_ULP 31  // include/uapi/linux/tcp.h
#endif
#ifndef SOL_TLS
#define SOL_TLS 282  // include/linux/socket.h
#endif

namespace kith {
namespace {

// AES-GCM's structures split the IV of RFC 8446 into a salt, a term of TLS 1.2,
// and the rest.
constexpr size_t kGcmSalt = TLS_CIPHER_AES_GCM_128_SALT_SIZE;

// CryptoInfo is one of the structures tls12_crypto_info_* of linux/tls.h, which
// have the same layout: header, iv, key, salt, record number (big endian).
class CryptoInfo {
 public:
  CryptoInfo(uint16_t cipher,
             const RawTrafficKey &raw,
             size_t salt,
             uint64_t sequence) {
    const tls_crypto_info header{.version = TLS_1_3_VERSION,
                                 .cipher_type = cipher};
    std::span<const uint8_t> iv(raw.iv);
    std::array<uint8_t, sizeof(sequence)> number;
    for (size_t i = 0; i < number.size(); ++i) {
      number[number.size() - 1 - i] = static_cast<uint8_t>(sequence >> (8 * i));
    }
    Append({reinterpret_cast<const uint8_t *>(&header), sizeof(header)});
    Append(iv.subspan(salt));
    Append(raw.key());
    Append(iv.first(salt));
    Append(number);
  }
  CryptoInfo(const CryptoInfo &) = delete;
  CryptoInfo &operator=(const CryptoInfo &) = delete;
  ~CryptoInfo() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  const void *data() const { return bytes_.data(); }
  socklen_t size() const { return static_cast<socklen_t>(size_); }

 private:
  void Append(std::span<const uint8_t> part) {
    std::ranges::copy(part, bytes_.begin() + size_);
    size_ += part.size();
  }

  std::array<uint8_t, 64> bytes_{};
  size_t size_ = 0;
};

int Set(int fd, KernelDirection direction, const CryptoInfo &info) {
  const int option = direction == KernelDirection::kSend ? TLS_TX : TLS_RX;
  return setsockopt(fd, SOL_TLS, option, info.data(), info.size());
}

// ExpectNoPadding lets the kernel decrypt into the reader's buffer, if it has
// room for a record: hardly any peer pads, and a padded record costs a second
// decryption. Kernels before 6.0 have no such option.
void ExpectNoPadding(int fd) {
  constexpr int kYes = 1;
  (void)setsockopt(fd, SOL_TLS, TLS_RX_EXPECT_NO_PAD, &kYes, sizeof(kYes));
}

// Returns the result of setsockopt, or EINVAL for an unsupported suite.
int SetSuite(int fd,
             KernelDirection direction,
             const RawTrafficKey &key,
             uint64_t sequence) {
  switch (key.suite) {
    case 0x1301:
      return Set(
          fd, direction, {TLS_CIPHER_AES_GCM_128, key, kGcmSalt, sequence});
    case 0x1302:
      return Set(
          fd, direction, {TLS_CIPHER_AES_GCM_256, key, kGcmSalt, sequence});
    case 0x1303:
      return Set(
          fd, direction, {TLS_CIPHER_CHACHA20_POLY1305, key, 0, sequence});
    default:
      errno = EINVAL;
      return -1;
  }
}

}  // namespace

RawTrafficKey::~RawTrafficKey() {
  OPENSSL_cleanse(key_bytes.data(), key_bytes.size());
  OPENSSL_cleanse(iv.data(), iv.size());
}

absl::Status AttachKernelTls(int fd) {
  constexpr char kName[] = "tls";
  if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, kName, sizeof(kName)) == 0) {
    const int most = INT_MAX;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
    return absl::OkStatus();
  }
  if (errno == ENOENT) {
    return absl::FailedPreconditionError(
        "this kernel has no tls module (CONFIG_TLS); modprobe tls");
  }
  return absl::ErrnoToStatus(errno, "setsockopt(TCP_ULP, \"tls\")");
}

absl::Status SetKernelKey(int fd,
                          KernelDirection direction,
                          const RawTrafficKey &key,
                          uint64_t sequence) {
  if (SetSuite(fd, direction, key, sequence) == 0) {
    if (direction == KernelDirection::kReceive) {
      ExpectNoPadding(fd);
    }
    return absl::OkStatus();
  }
  const char *name = direction == KernelDirection::kSend ? "TLS_TX" : "TLS_RX";
  if (errno == EBUSY) {  // a key is set already
    return absl::FailedPreconditionError(
        absl::StrCat("setsockopt(",
                     name,
                     "): this kernel cannot change a key (Linux 6.14)"));
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("setsockopt(", name, ")"));
}

// The kernel's answer contains the key as well, and is wiped.
absl::StatusOr<uint64_t> KernelSequence(int fd, uint16_t suite) {
  std::array<uint8_t, 64> info{};
  socklen_t size = 0;
  size_t number = 0;
  switch (suite) {
    case 0x1301:
      size = sizeof(tls12_crypto_info_aes_gcm_128);
      number = offsetof(tls12_crypto_info_aes_gcm_128, rec_seq);
      break;
    case 0x1302:
      size = sizeof(tls12_crypto_info_aes_gcm_256);
      number = offsetof(tls12_crypto_info_aes_gcm_256, rec_seq);
      break;
    default:
      size = sizeof(tls12_crypto_info_chacha20_poly1305);
      number = offsetof(tls12_crypto_info_chacha20_poly1305, rec_seq);
      break;
  }
  const int result = getsockopt(fd, SOL_TLS, TLS_TX, info.data(), &size);
  const int error = errno;
  uint64_t sequence = 0;
  for (size_t i = 0; i < sizeof(sequence); ++i) {
    sequence = sequence << 8 | info[number + i];
  }
  OPENSSL_cleanse(info.data(), info.size());
  return result == 0 ? absl::StatusOr<uint64_t>(sequence)
                     : absl::ErrnoToStatus(error, "getsockopt(TLS_TX)");
}

}  // namespace kith
