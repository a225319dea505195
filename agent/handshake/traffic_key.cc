// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/traffic_key.h"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include <openssl/aead.h>
#include <openssl/digest.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <openssl/ssl.h>

namespace kith {
namespace {

constexpr size_t kNonceLength = RawTrafficKey::kIvLength;
constexpr uint8_t kApplicationData = 23;

// ExpandLabel is HKDF-Expand-Label with an empty context (RFC 8446 section
// 7.1): uint16 length, "tls13 " + label and context with a length byte each.
bool ExpandLabel(std::span<uint8_t> out,
                 const EVP_MD *digest,
                 std::span<const uint8_t> secret,
                 std::string_view label) {
  constexpr std::string_view kPrefix = "tls13 ";
  std::array<uint8_t, 32> hkdf_label;
  size_t length = 0;
  hkdf_label[length++] = static_cast<uint8_t>(out.size() >> 8);
  hkdf_label[length++] = static_cast<uint8_t>(out.size());
  hkdf_label[length++] = static_cast<uint8_t>(kPrefix.size() + label.size());
  for (std::string_view part : {kPrefix, label}) {
    std::memcpy(&hkdf_label[length], part.data(), part.size());
    length += part.size();
  }
  hkdf_label[length++] = 0;
  return HKDF_expand(out.data(),
                     out.size(),
                     digest,
                     secret.data(),
                     secret.size(),
                     hkdf_label.data(),
                     length) == 1;
}

const EVP_AEAD *AeadOf(uint16_t suite) {
  switch (suite) {
    case 0x1301:  // the numbers of RFC 8446 appendix B.4
      return EVP_aead_aes_128_gcm();
    case 0x1302:
      return EVP_aead_aes_256_gcm();
    case 0x1303:
      return EVP_aead_chacha20_poly1305();
    default:
      return nullptr;
  }
}

}  // namespace

struct TrafficKey::Aead {
  const EVP_AEAD *algorithm = nullptr;
  const EVP_MD *digest = nullptr;
  uint16_t suite = 0;
  EVP_AEAD_CTX context;
  std::array<uint8_t, kNonceLength> iv{};

  Aead() { EVP_AEAD_CTX_zero(&context); }
  ~Aead() { Clear(); }
  void Clear() {
    EVP_AEAD_CTX_cleanup(&context);
    OPENSSL_cleanse(&context, sizeof(context));
    EVP_AEAD_CTX_zero(&context);
    OPENSSL_cleanse(iv.data(), iv.size());
  }
};

TrafficKey::TrafficKey() : aead_(std::make_unique<Aead>()) {}
TrafficKey::~TrafficKey() = default;

uint16_t TrafficKey::suite() const {
  return aead_->suite;
}

absl::Status TrafficKey::SetSuite(const SSL_CIPHER *cipher) {
  aead_->suite = SSL_CIPHER_get_protocol_id(cipher);
  aead_->algorithm = AeadOf(aead_->suite);
  aead_->digest = SSL_CIPHER_get_handshake_digest(cipher);
  if (aead_->algorithm == nullptr || aead_->digest == nullptr) {
    return absl::UnimplementedError(absl::StrCat(
        "cipher suite ", SSL_CIPHER_standard_name(cipher), " is not known"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TrafficKey>> TrafficKey::Create(
    const SSL_CIPHER *cipher,
    std::span<const uint8_t> secret,
    uint64_t sequence) {
  std::unique_ptr<TrafficKey> key(new TrafficKey);
  if (absl::Status known = key->SetSuite(cipher); !known.ok()) {
    return known;
  }
  absl::StatusOr<Secret> copy = Secret::CopyFrom(secret);
  if (!copy.ok()) {
    return copy.status();
  }
  key->secret_ = *std::move(copy);
  if (absl::Status derived = key->Derive(); !derived.ok()) {
    return derived;
  }
  key->sequence_ = sequence;
  return key;
}

absl::StatusOr<std::unique_ptr<TrafficKey>> TrafficKey::Import(State state) {
  const SSL_CIPHER *cipher = SSL_get_cipher_by_value(state.suite);
  std::unique_ptr<TrafficKey> key(new TrafficKey);
  if (cipher == nullptr || !key->SetSuite(cipher).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cipher suite ", state.suite, " is not known"));
  }
  const size_t length = EVP_MD_size(key->aead_->digest);
  const bool wiped = state.secret.empty() && state.in_kernel;
  if (!wiped && state.secret.bytes().size() != length) {
    return absl::InvalidArgumentError("traffic secret of a wrong length");
  }
  key->secret_ = std::move(state.secret);
  key->in_kernel_ = state.in_kernel;
  if (!state.in_kernel) {
    if (absl::Status derived = key->Derive(); !derived.ok()) {
      return derived;
    }
  }
  key->sequence_ = state.sequence;
  key->generation_ = state.generation;
  return key;
}

TrafficKey::State TrafficKey::Outline() const {
  return {.suite = aead_->suite,
          .sequence = sequence_,
          .in_kernel = in_kernel_,
          .generation = generation_,
          .secret_length = static_cast<uint32_t>(secret_length()),
          .secret = {}};
}

TrafficKey::State TrafficKey::Export() {
  aead_->Clear();
  State state = Outline();
  state.secret = std::move(secret_);
  return state;
}

void TrafficKey::CopySecretTo(std::span<uint8_t> to) const {
  if (to.size() >= secret_.bytes().size()) {
    std::memcpy(to.data(), secret_.bytes().data(), secret_.bytes().size());
  }
}

bool TrafficKey::DeriveRaw(RawTrafficKey &raw) const {
  raw.suite = aead_->suite;
  raw.key_length = EVP_AEAD_key_length(aead_->algorithm);
  return ExpandLabel(raw.key(), aead_->digest, secret_.bytes(), "key") &&
         ExpandLabel(raw.iv, aead_->digest, secret_.bytes(), "iv");
}

absl::Status TrafficKey::Derive() {
  RawTrafficKey raw;
  EVP_AEAD_CTX_cleanup(&aead_->context);
  const bool done =
      DeriveRaw(raw) && EVP_AEAD_CTX_init(&aead_->context,
                                          aead_->algorithm,
                                          raw.key_bytes.data(),
                                          raw.key_length,
                                          EVP_AEAD_DEFAULT_TAG_LENGTH,
                                          nullptr) == 1;
  aead_->iv = raw.iv;
  sequence_ = 0;
  return done
             ? absl::OkStatus()
             : absl::InternalError("HKDF-Expand-Label of a traffic key failed");
}

absl::Status TrafficKey::HandToKernel(int fd,
                                      KernelDirection direction,
                                      bool keep_secret) {
  RawTrafficKey raw;
  if (!DeriveRaw(raw)) {
    return absl::InternalError("HKDF-Expand-Label of a traffic key failed");
  }
  absl::Status set = SetKernelKey(fd, direction, raw, sequence_);
  if (!set.ok()) {
    return set;
  }
  aead_->Clear();
  in_kernel_ = true;
  if (!keep_secret) {
    secret_ = Secret();
  }
  return absl::OkStatus();
}

absl::Status TrafficKey::Update() {
  std::array<uint8_t, EVP_MAX_MD_SIZE> next;
  std::span<uint8_t> used(next.data(), secret_.bytes().size());
  bool done = ExpandLabel(used, aead_->digest, secret_.bytes(), "traffic upd");
  std::memcpy(secret_.bytes().data(), used.data(), used.size());
  OPENSSL_cleanse(next.data(), next.size());
  ++generation_;
  return done ? Derive()
              : absl::InternalError("HKDF-Expand-Label of a KeyUpdate failed");
}

void TrafficKey::MakeNonce(std::span<uint8_t> nonce) const {
  std::memcpy(nonce.data(), aead_->iv.data(), kNonceLength);
  for (size_t i = 0; i < sizeof(sequence_); ++i) {
    nonce[kNonceLength - 1 - i] ^= static_cast<uint8_t>(sequence_ >> (8 * i));
  }
}

size_t TrafficKey::Seal(uint8_t *record, size_t length, uint8_t content_type) {
  size_t ciphertext_length = length + kRecordTailLength;
  record[0] = kApplicationData;
  record[1] = 3;  // legacy_record_version 0x0303
  record[2] = 3;
  record[3] = static_cast<uint8_t>(ciphertext_length >> 8);
  record[4] = static_cast<uint8_t>(ciphertext_length);

  std::array<uint8_t, kNonceLength> nonce;
  MakeNonce(nonce);
  uint8_t *payload = record + kRecordHeaderLength;
  size_t tail_length = 0;
  int sealed = EVP_AEAD_CTX_seal_scatter(&aead_->context,
                                         payload,
                                         payload + length,
                                         &tail_length,
                                         kRecordTailLength,
                                         nonce.data(),
                                         nonce.size(),
                                         payload,
                                         length,
                                         &content_type,
                                         1,
                                         record,
                                         kRecordHeaderLength);
  // Only wrong lengths make it fail, and this code sets the lengths.
  CHECK(sealed == 1 && tail_length == kRecordTailLength);
  ++sequence_;
  return length + kRecordOverhead;
}

std::span<uint8_t> TrafficKey::Open(std::span<uint8_t> record) {
  size_t length = record.size() - kRecordHeaderLength;
  constexpr size_t kTagLength = kRecordTailLength - 1;
  if (length < kRecordTailLength) {
    return {};
  }
  std::array<uint8_t, kNonceLength> nonce;
  MakeNonce(nonce);
  uint8_t *payload = record.data() + kRecordHeaderLength;
  size_t plaintext_length = length - kTagLength;
  if (EVP_AEAD_CTX_open_gather(&aead_->context,
                               payload,
                               nonce.data(),
                               nonce.size(),
                               payload,
                               plaintext_length,
                               payload + plaintext_length,
                               kTagLength,
                               record.data(),
                               kRecordHeaderLength) != 1) {
    return {};
  }
  ++sequence_;
  return {payload, plaintext_length};
}

}  // namespace kith
