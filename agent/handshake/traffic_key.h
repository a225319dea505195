// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <openssl/base.h>

#include "agent/handshake/kernel_tls.h"
#include "kith/secret.h"

namespace kith {

// Sizes of a protected record (RFC 8446 section 5.2).
inline constexpr size_t kRecordHeaderLength = 5;
inline constexpr size_t kMaxPlaintextLength = 16384;
// Content type and tag; every AEAD of TLS 1.3 that we offer has a 16-byte tag.
inline constexpr size_t kRecordTailLength = 1 + 16;
inline constexpr size_t kRecordOverhead =
    kRecordHeaderLength + kRecordTailLength;
inline constexpr size_t kMaxCiphertextLength = kMaxPlaintextLength + 256;

// TrafficKey protects the records of one direction of a TLS 1.3 connection
// after the handshake, in place, without a copy. The TLS library's own record
// layer would copy every byte twice more and keep its handshake object.
class TrafficKey {
 public:
  // Create takes the application traffic secret and the number of records
  // already protected with it. It fails if the suite is unknown or no memory
  // can be locked for the secret.
  static absl::StatusOr<std::unique_ptr<TrafficKey>> Create(
      const SSL_CIPHER *cipher,
      std::span<const uint8_t> secret,
      uint64_t sequence);
  ~TrafficKey();
  TrafficKey(const TrafficKey &) = delete;
  TrafficKey &operator=(const TrafficKey &) = delete;

  // State is a key as it is exported to another process.
  struct State {
    uint16_t suite = 0;     // RFC 8446 appendix B.4
    uint64_t sequence = 0;  // see sequence()
    bool in_kernel = false;
    uint32_t generation = 0;
    uint32_t secret_length = 0;  // 0: in a kernel that cannot change it
    Secret secret;               // empty in an Outline
  };
  // Outline returns the state without the secret; the key goes on.
  State Outline() const;
  // Import makes a key that continues the exported one. InvalidArgument: Export
  // did not return this state.
  static absl::StatusOr<std::unique_ptr<TrafficKey>> Import(State state);
  // Export must be the last call.
  State Export();

  // Seal makes a record of the `length` bytes that start kRecordHeaderLength
  // after `record`; kRecordTailLength bytes after them must be free. Returns
  // the length of the record.
  size_t Seal(uint8_t *record, size_t length, uint8_t content_type);

  // Open decrypts a whole record in place and returns its inner plaintext
  // (padding and content type still at its end), or an empty span if another
  // key made the record.
  std::span<uint8_t> Open(std::span<uint8_t> record);

  // Update changes to the next generation (RFC 8446 section 7.2). Only while
  // can_update().
  absl::Status Update();
  bool can_update() const { return !secret_.empty(); }
  // generation returns how often the key was updated.
  uint32_t generation() const { return generation_; }

  // CopySecretTo copies the traffic secret to memory that is locked and as
  // secret as Secret's; `to` has room for kMaxSecretLength bytes.
  static constexpr size_t kMaxSecretLength = 48;  // SHA-384
  void CopySecretTo(std::span<uint8_t> to) const;
  size_t secret_length() const { return secret_.bytes().size(); }

  // HandToKernel makes the kernel protect this direction of `fd` from record
  // number sequence() on; AttachKernelTls must have succeeded. After a success
  // this object can neither seal nor open; with `keep_secret` it can be updated
  // and handed over again, otherwise its secret is wiped.
  absl::Status HandToKernel(int fd,
                            KernelDirection direction,
                            bool keep_secret);

  bool in_kernel() const { return in_kernel_; }

  // suite returns the cipher suite's number (RFC 8446 appendix B.4).
  uint16_t suite() const;

  // sequence returns how many records this generation has protected; the code
  // that sends through the kernel counts the kernel's records.
  uint64_t sequence() const { return sequence_; }
  void CountRecords(uint64_t records) { sequence_ += records; }

 private:
  struct Aead;
  TrafficKey();
  absl::Status SetSuite(const SSL_CIPHER *cipher);
  absl::Status Derive();
  bool DeriveRaw(RawTrafficKey &raw) const;
  void MakeNonce(std::span<uint8_t> nonce) const;

  Secret secret_;
  std::unique_ptr<Aead> aead_;
  uint64_t sequence_ = 0;
  uint32_t generation_ = 0;
  bool in_kernel_ = false;
};

}  // namespace kith
