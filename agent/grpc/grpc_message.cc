// SPDX-License-Identifier: Apache-2.0
#include "agent/grpc/grpc_message.h"

#include <arpa/inet.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// A flag byte (0: not compressed), then the length in network byte order.
std::string PrefixOf(size_t size) {
  const uint32_t length = htonl(static_cast<uint32_t>(size));
  std::string prefix(GrpcMessage::kPrefixBytes, '\0');
  memcpy(prefix.data() + 1, &length, sizeof length);
  return prefix;
}

}  // namespace

GrpcMessage::GrpcMessage(std::string_view plain, Secret secret)
    : plain_(absl::StrCat(
          PrefixOf(plain.size() + std::as_const(secret).bytes().size()),
          plain)),
      secret_(std::move(secret)) {}

std::array<std::span<const uint8_t>, 2> GrpcMessage::Slice(
    size_t offset, size_t length) const {
  const std::span<const uint8_t> plain(
      reinterpret_cast<const uint8_t *>(plain_.data()), plain_.size());
  const size_t from_plain =
      offset < plain.size() ? std::min(length, plain.size() - offset) : 0;
  const size_t secret_offset =
      offset < plain.size() ? 0 : offset - plain.size();
  return {plain.subspan(std::min(offset, plain.size()), from_plain),
          secret_.bytes().subspan(secret_offset, length - from_plain)};
}

bool GrpcMessage::Equals(const GrpcMessage &other) const {
  return plain_ == other.plain_ &&
         std::ranges::equal(secret_.bytes(), other.secret_.bytes());
}

absl::StatusOr<size_t> GrpcRequest::AppendAll(std::span<const uint8_t> bytes) {
  absl::StatusOr<size_t> taken = AppendSome(bytes);
  if (taken.ok() && *taken < bytes.size()) {
    return absl::UnimplementedError("the call has more than one request");
  }
  return taken;
}

absl::StatusOr<size_t> GrpcRequest::AppendSome(std::span<const uint8_t> bytes) {
  const size_t before = bytes_.size();
  while (!bytes.empty() && !complete()) {
    const bool in_prefix = bytes_.size() < GrpcMessage::kPrefixBytes;
    const size_t wanted = GrpcMessage::kPrefixBytes + size_ - bytes_.size();
    const size_t taken = std::min(wanted, bytes.size());
    bytes_.append(reinterpret_cast<const char *>(bytes.data()), taken);
    bytes = bytes.subspan(taken);
    if (in_prefix && taken == wanted) {
      if (absl::Status status = CheckPrefix(); !status.ok()) {
        return status;
      }
    }
  }
  return bytes_.size() - before;
}

absl::Status GrpcRequest::CheckPrefix() {
  if (bytes_[0] == 1) {
    return absl::UnimplementedError("compressed requests are not supported");
  }
  if (bytes_[0] != 0) {
    return absl::InternalError("the request's prefix has an unknown flag");
  }
  uint32_t length = 0;
  memcpy(&length, bytes_.data() + 1, sizeof length);
  size_ = ntohl(length);
  return size_ <= max_bytes_ ? absl::OkStatus()
                             : absl::ResourceExhaustedError(absl::StrCat(
                                   "a request of ",
                                   size_,
                                   " bytes; this method takes at most ",
                                   max_bytes_));
}

absl::Status GrpcRequest::Whole() const {
  if (bytes_.empty()) {
    return absl::UnimplementedError("the call has no request");
  }
  return complete()
             ? absl::OkStatus()
             : absl::InternalError("the request ends before its message does");
}

absl::StatusOr<std::string> GrpcRequest::Take() {
  if (absl::Status whole = Whole(); !whole.ok()) {
    return whole;
  }
  bytes_.erase(0, GrpcMessage::kPrefixBytes);
  return std::move(bytes_);
}

}  // namespace kith
