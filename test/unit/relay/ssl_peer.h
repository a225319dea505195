// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "agent/runtime/file_descriptor.h"
#include "test/unit/handshake/handshake_fixture.h"

namespace kith {

// SslPeer is the other end of a TLS connection, made of the library's own
// blocking record layer, so that ours is tested against another one. It trusts
// everybody. Its steps throw on any error.
class SslPeer {
 public:
  SslPeer(TlsRole role, const X509Svid &svid, FileDescriptor fd);

  void Handshake();
  void Send(std::string_view bytes);
  std::string Receive(size_t length);
  // ReceiveEnd expects close_notify next.
  void ReceiveEnd();
  void SendCloseNotify();
  void SendAlert(uint8_t description);
  void UpdateKey(bool ask_for_theirs);
  // SendRaw writes bytes that are no record of this connection.
  void SendRaw(std::string_view bytes);
  // ReceiveAlert reads to the alert that ends the connection.
  uint8_t ReceiveAlert();

  int fd() const { return fd_.get(); }
  void Close() { fd_.Reset(); }

 private:
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;
  FileDescriptor fd_;
};

}  // namespace kith
