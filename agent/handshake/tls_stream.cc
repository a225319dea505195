// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/tls_stream.h"

namespace kith {

absl::StatusOr<std::unique_ptr<TlsStream>> TlsStream::Import(TcpSocket socket,
                                                             State state) {
  auto read_key = TrafficKey::Import(std::move(state.read_key));
  auto write_key = TrafficKey::Import(std::move(state.write_key));
  if (!read_key.ok() || !write_key.ok()) {
    return read_key.ok() ? write_key.status() : read_key.status();
  }
  if (state.progress.header_length > state.progress.header.size()) {
    return absl::InvalidArgumentError("post-handshake message is malformed");
  }
  const bool in_kernel = (*write_key)->in_kernel();
  auto stream = std::make_unique<TlsStream>(
      std::move(socket),
      RecordReader(*std::move(read_key), state.peer, state.progress),
      RecordWriter(*std::move(write_key)),
      std::vector<uint8_t>());
  if (state.update_requested) {
    stream->writer_.RequestKeyUpdate();
  }
  stream->in_kernel_ = in_kernel;
  stream->can_rekey_ = state.can_rekey;
  return stream;
}

TlsStream::State TlsStream::Outline() {
  return {.read_key = reader_.key().Outline(),
          .peer = reader_.peer(),
          .progress = reader_.progress(),
          .write_key = writer_.key().Outline(),
          .update_requested = writer_.update_requested(),
          .can_rekey = can_rekey_};
}

TlsStream::State TlsStream::Export() {
  State state = Outline();
  state.read_key = reader_.key().Export();
  state.write_key = writer_.key().Export();
  return state;
}

}  // namespace kith
