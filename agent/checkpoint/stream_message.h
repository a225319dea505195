// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

#include "agent/checkpoint/takeover.pb.h"
#include "agent/handshake/tls_stream.h"

namespace kith {

// PackStream puts the parts of a stream that are not secret into a message.
void PackStream(const TlsStream::State &stream, takeover::Stream &out);

// UnpackStream reads a stream from a message of another process; each key's
// secret is at the front of its span. InvalidArgument: PackStream did not make
// the message.
absl::StatusOr<TlsStream::State> UnpackStream(
    const takeover::Stream &in,
    std::span<const uint8_t> read_secret,
    std::span<const uint8_t> write_secret);

}  // namespace kith
