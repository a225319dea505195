// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "agent/handshake/record_reader.h"
#include "agent/handshake/record_writer.h"
#include "agent/runtime/event_loop.h"

namespace kith {

// TlsStream is an outer socket with its TLS 1.3 state after the handshake: the
// two traffic keys and nothing of the TLS library. Only handshake/ and relay/
// use it; flow/ moves it from one to the other. It lives on the loop of its
// socket.
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

  // State is a stream, without its socket, as it is exported.
  struct State {
    TrafficKey::State read_key;
    RecordReader::PeerRole peer = RecordReader::PeerRole::kServer;
    ReaderProgress progress;
    TrafficKey::State write_key;
    bool update_requested = false;  // by the peer, of our key
    bool can_rekey = false;
  };
  // Outline returns the state without the secrets; the stream goes on.
  State Outline();
  // Import returns a stream that continues the exported one. InvalidArgument:
  // Export did not return this state.
  static absl::StatusOr<std::unique_ptr<TlsStream>> Import(TcpSocket socket,
                                                           State state);
  // Export must be the last call; only socket() may follow.
  State Export();

  TcpSocket &socket() { return socket_; }
  RecordReader &reader() { return reader_; }
  RecordWriter &writer() { return writer_; }
  std::vector<uint8_t> TakeUnread() { return std::exchange(unread_, {}); }
  uint16_t suite() const { return writer_.suite(); }

  // SendInKernel hands the sending key to the kernel's TLS; everything that the
  // writer has sealed must be written. An error leaves the stream unchanged.
  absl::Status SendInKernel(bool can_rekey) {
    const int fd = socket_.native_handle();
    if (absl::Status attached = AttachKernelTls(fd); !attached.ok()) {
      return attached;
    }
    can_rekey_ = can_rekey;
    absl::Status handed = writer_.HandToKernel(fd, can_rekey);
    in_kernel_ = handed.ok();
    return handed;
  }
  bool in_kernel() const { return in_kernel_; }
  // receives_in_kernel is false if the kernel could not follow a KeyUpdate of
  // the peer, which the peer's limits make it send sooner or later.
  bool receives_in_kernel() const {
    return in_kernel_ && can_rekey_ && !receives_here_;
  }
  // ReceiveHere makes it false: unopened records can then be peeked at.
  void ReceiveHere() { receives_here_ = true; }
  bool can_rekey() const { return can_rekey_; }
  // is_receiving_in_kernel is true from the first ReceiveInKernel on.
  bool is_receiving_in_kernel() { return reader_.key().in_kernel(); }

  // ReceiveInKernel hands the kernel's TLS the receiving key, at the end of a
  // record, or the next key after the peer has changed it.
  absl::Status ReceiveInKernel(int fd) {
    return reader_.HandToKernel(fd, true);
  }

 private:
  TcpSocket socket_;
  RecordReader reader_;
  RecordWriter writer_;
  std::vector<uint8_t> unread_;
  bool in_kernel_ = false;
  bool can_rekey_ = false;
  bool receives_here_ = false;
};

}  // namespace kith
