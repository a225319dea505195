// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "agent/handshake/record_reader.h"
#include "agent/handshake/record_writer.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// TlsStream is an outer socket with its TLS 1.3 state after the handshake: the
// two traffic keys and nothing of the TLS library. Private to handshake/ and
// relay/; agent.cc only moves it from one to the other. Lives on the loop of
// its socket.
class TlsStream {
 public:
  // `unread` is what the peer sent after its last handshake record.
  TlsStream(TcpSocket socket,
            RecordReader reader,
            RecordWriter writer,
            std::vector<uint8_t> unread)
      : socket_(std::move(socket)),
        reader_(std::move(reader)),
        writer_(std::move(writer)),
        unread_(std::move(unread)) {}

  TcpSocket &socket() { return socket_; }
  RecordReader &reader() { return reader_; }
  RecordWriter &writer() { return writer_; }
  std::vector<uint8_t> TakeUnread() { return std::exchange(unread_, {}); }

 private:
  TcpSocket socket_;
  RecordReader reader_;
  RecordWriter writer_;
  std::vector<uint8_t> unread_;
};

}  // namespace kith
