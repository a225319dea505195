// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/secret_messages.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "agent/identity/certificate_pem.h"
#include "agent/identity/private_key.h"
#include "agent/workloadapi/wire_field.h"

namespace kith {
namespace {

// Field numbers of discovery.proto: DiscoveryResponse
constexpr uint32_t kVersionInfo = 1;
constexpr uint32_t kResources = 2;
constexpr uint32_t kTypeUrl = 4;
constexpr uint32_t kNonce = 5;
// ... DeltaDiscoveryResponse, beside those, and Resource
constexpr uint32_t kRemovedResources = 6;
constexpr uint32_t kResourceVersion = 1;
constexpr uint32_t kResourceBody = 2;
constexpr uint32_t kResourceName = 3;
// google/protobuf/any.proto
constexpr uint32_t kAnyType = 1;
constexpr uint32_t kAnyValue = 2;
// secret.proto
constexpr uint32_t kName = 1;
constexpr uint32_t kTlsCertificate = 2;
constexpr uint32_t kValidationContext = 4;
constexpr uint32_t kCertificateChain = 1;
constexpr uint32_t kPrivateKey = 2;
constexpr uint32_t kInlineBytes = 2;

// The message Any without its last `key_size` bytes, the private key, which
// ends every enclosing message.
std::string OpenCertificate(const SecretState &secret, size_t key_size) {
  const std::string chain =
      WireField(kInlineBytes, CertificatesPem(secret.svid->chain()));
  std::string open = OpenWireField(kInlineBytes, "", key_size);
  open = OpenWireField(kPrivateKey, open, key_size);
  open = WireField(kCertificateChain, chain) + open;
  open = OpenWireField(kTlsCertificate, open, key_size);
  open = WireField(kName, secret.name) + open;
  open = OpenWireField(kAnyValue, open, key_size);
  return WireField(kAnyType, kSecretType) + open;
}

std::string WholeContext(const SecretState &secret) {
  return WireField(kAnyType, kSecretType) +
         WireField(kAnyValue,
                   WireField(kName, secret.name) +
                       WireField(kValidationContext, secret.context));
}

std::string InResource(const SecretState &secret,
                       const std::string &any,
                       size_t rest) {
  return OpenWireField(kResources,
                       WireField(kResourceVersion, secret.version) +
                           WireField(kResourceName, secret.name) +
                           OpenWireField(kResourceBody, any, rest),
                       rest);
}

// The texts of a message, with a key after each but the last.
absl::StatusOr<std::shared_ptr<const GrpcMessage>> Join(
    const std::vector<std::string> &texts, const Secret &key) {
  size_t size = 0;
  for (size_t i = 1; i < texts.size(); ++i) {
    size += key.bytes().size() + texts[i].size();
  }
  absl::StatusOr<Secret> rest = Secret::Create(size);
  if (!rest.ok()) {
    return rest.status();
  }
  uint8_t *out = rest->bytes().data();
  for (size_t i = 1; i < texts.size(); ++i) {
    out = std::ranges::copy(key.bytes(), out).out;
    out = std::ranges::copy(texts[i], out).out;
  }
  return std::make_shared<GrpcMessage>(texts[0], *std::move(rest));
}

absl::StatusOr<Secret> KeyOf(const std::vector<SecretState> &secrets) {
  for (const SecretState &secret : secrets) {
    if (secret.svid != nullptr) {
      return EncodePrivateKey(secret.svid->key());
    }
  }
  return Secret();
}

// Returns the response field that holds a resource, from the beginning of its
// message Any; `rest` bytes follow.
using Framing = std::function<std::string(
    const SecretState &, const std::string &, size_t)>;

absl::StatusOr<std::shared_ptr<const GrpcMessage>> Response(
    std::string head,
    const std::vector<SecretState> &secrets,
    const Framing &frame) {
  absl::StatusOr<Secret> key = KeyOf(secrets);
  if (!key.ok()) {
    return key.status();
  }
  const size_t key_size = std::as_const(*key).bytes().size();
  std::vector<std::string> texts = {std::move(head)};
  for (const SecretState &secret : secrets) {
    if (secret.svid != nullptr) {
      texts.back() +=
          frame(secret, OpenCertificate(secret, key_size), key_size);
      texts.emplace_back();
    } else {
      texts.back() += frame(secret, WholeContext(secret), 0);
    }
  }
  return Join(texts, *key);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const GrpcMessage>> SecretsResponse(
    const std::vector<SecretState> &secrets, const std::string &version) {
  return Response(WireField(kVersionInfo, version) +
                      WireField(kTypeUrl, kSecretType) +
                      WireField(kNonce, version),
                  secrets,
                  [](const SecretState &, const std::string &any, size_t rest) {
                    return OpenWireField(kResources, any, rest);
                  });
}

absl::StatusOr<std::shared_ptr<const GrpcMessage>> SecretsChanges(
    const std::vector<SecretState> &changed,
    const std::vector<std::string> &removed,
    const std::string &nonce) {
  std::string head =
      WireField(kTypeUrl, kSecretType) + WireField(kNonce, nonce);
  for (const std::string &name : removed) {
    head += WireField(kRemovedResources, name);
  }
  return Response(std::move(head), changed, InResource);
}

}  // namespace kith
