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

// GrpcMessage is a serialized protobuf message as it goes on the wire, with the
// prefix of the gRPC protocol (PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
// A private key is its last field and stays in locked memory until the kernel
// copies it into the socket. Immutable: many calls send the same one.
class GrpcMessage {
 public:
  static constexpr size_t kPrefixBytes = 5;

  // The message is `plain` followed by `secret`.
  explicit GrpcMessage(std::string_view plain, Secret secret = {});

  size_t size() const { return plain_.size() + secret_.bytes().size(); }
  // Equals returns whether both are the same bytes.
  bool Equals(const GrpcMessage &other) const;

  // Slice returns the parts of [offset, offset + length), which must be inside
  // of the message. They live as long as the message.
  std::array<std::span<const uint8_t>, 2> Slice(size_t offset,
                                                size_t length) const;

 private:
  std::string plain_;  // prefix included
  Secret secret_;
};

// GrpcRequest puts a message of a call together. Bounded.
class GrpcRequest {
 public:
  // Every request of the APIs served here is a token or some names. Tokens that
  // are longer than this do not fit into an HTTP header either.
  static constexpr size_t kMaxBytes = size_t{16} << 10;

  // Each request of an Envoy may say what the proxy is: 61 KiB for one with all
  // of its extensions, and the operator's metadata beside them.
  static constexpr size_t kMaxLargeBytes = size_t{256} << 10;

  explicit GrpcRequest(size_t max_bytes = kMaxBytes) : max_bytes_(max_bytes) {}

  // AppendAll takes bytes as they arrive, and returns how many. Errors are the
  // call's status (statuscodes.md of gRPC): ResourceExhausted for a message
  // that is too large, Unimplemented for a compressed or a second one.
  absl::StatusOr<size_t> AppendAll(std::span<const uint8_t> bytes);

  // AppendSome does so up to the end of the message.
  absl::StatusOr<size_t> AppendSome(std::span<const uint8_t> bytes);
  // held returns how many bytes are there; without those of the prefix, so that
  // a whole message has as many as it may.
  size_t held() const {
    return bytes_.size() - std::min(bytes_.size(), GrpcMessage::kPrefixBytes);
  }
  bool empty() const { return bytes_.empty(); }
  bool complete() const {
    return bytes_.size() >= GrpcMessage::kPrefixBytes &&
           bytes_.size() == GrpcMessage::kPrefixBytes + size_;
  }

  // Whole returns what is wrong when the peer has sent everything.
  // Unimplemented: it sent no message. Internal: it stopped in the middle.
  absl::Status Whole() const;
  // Take returns the message, or the error of Whole.
  absl::StatusOr<std::string> Take();

 private:
  absl::Status CheckPrefix();

  size_t max_bytes_;
  std::string bytes_;  // prefix included
  size_t size_ = 0;    // of the message, once the prefix is there
};

}  // namespace kith
