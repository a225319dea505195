// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/runtime/secret.h"

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

  // The first request of an Envoy lists all of its extensions.
  static constexpr size_t kMaxStreamedBytes = size_t{128} << 10;

  explicit GrpcRequest(size_t max_bytes = kMaxBytes) : max_bytes_(max_bytes) {}

  // Append takes bytes as they arrive. Errors are the call's status
  // (statuscodes.md of gRPC): ResourceExhausted for a message that is too
  // large, Unimplemented for a compressed or a second one.
  absl::Status Append(std::span<const uint8_t> bytes);

  // AppendSome does so up to the end of the message; returns how many bytes it
  // took.
  absl::StatusOr<size_t> AppendSome(std::span<const uint8_t> bytes);
  bool complete() const {
    return bytes_.size() >= GrpcMessage::kPrefixBytes &&
           bytes_.size() == GrpcMessage::kPrefixBytes + size_;
  }

  // Take returns the message when the peer has sent everything. Unimplemented:
  // it sent none. Internal: it stopped in the middle.
  absl::StatusOr<std::string> Take();

 private:
  absl::Status CheckPrefix();

  size_t max_bytes_;
  std::string bytes_;  // prefix included
  size_t size_ = 0;    // of the message, once the prefix is there
};

}  // namespace kith
