// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "kith/secret.h"

namespace kith {

// GrpcMessage is a serialized protobuf message in its wire form, with the
// prefix of the gRPC protocol (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). A
// private key is its last field and stays in locked memory until the kernel
// copies it into the socket. Immutable: many calls send the same message.
class GrpcMessage {
 public:
  static constexpr size_t kPrefixBytes = 5;

  // The message is `plain` followed by `secret`.
  explicit GrpcMessage(std::string_view plain, Secret secret = {});

  size_t size() const { return plain_.size() + secret_.bytes().size(); }
  // Equals returns whether both have the same bytes.
  bool Equals(const GrpcMessage &other) const;

  // Slice returns the parts of [offset, offset + length), a range inside the
  // message. They live as long as the message.
  std::array<std::span<const uint8_t>, 2> Slice(size_t offset,
                                                size_t length) const;

 private:
  std::string plain_;  // prefix included
  Secret secret_;
};

// GrpcRequest assembles a message of a call. Bounded.
class GrpcRequest {
 public:
  // Every request of the APIs served here is a token or some names. A longer
  // token does not fit into an HTTP header either.
  static constexpr size_t kMaxBytes = size_t{16} << 10;

  // Each request of an Envoy may describe the proxy: 61 KiB with all of its
  // extensions, plus the operator's metadata.
  static constexpr size_t kMaxLargeBytes = size_t{256} << 10;

  explicit GrpcRequest(size_t max_bytes = kMaxBytes) : max_bytes_(max_bytes) {}

  // AppendAll takes bytes as they arrive, and returns how many it took. Errors
  // are the call's status (statuscodes.md of gRPC): ResourceExhausted for a
  // message that is too large, Unimplemented for a compressed or a second one.
  absl::StatusOr<size_t> AppendAll(std::span<const uint8_t> bytes);

  // AppendSome takes bytes up to the end of the message.
  absl::StatusOr<size_t> AppendSome(std::span<const uint8_t> bytes);
  // held returns the number of bytes without the prefix, so that a whole
  // message has as many as its bound allows.
  size_t held() const {
    return bytes_.size() - std::min(bytes_.size(), GrpcMessage::kPrefixBytes);
  }
  bool empty() const { return bytes_.empty(); }
  bool complete() const {
    return bytes_.size() >= GrpcMessage::kPrefixBytes &&
           bytes_.size() == GrpcMessage::kPrefixBytes + size_;
  }

  // Whole returns the error of a request after the peer's end. Unimplemented:
  // the peer sent no message. Internal: it stopped in the middle.
  absl::Status Whole() const;
  // Take returns the message, or the error of Whole.
  absl::StatusOr<std::string> Take();

 private:
  absl::Status CheckPrefix();

  size_t max_bytes_;
  std::string bytes_;  // prefix included
  size_t size_ = 0;    // of the message; 0 before the prefix is complete
};

}  // namespace kith
