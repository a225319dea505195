// SPDX-License-Identifier: Apache-2.0
#include "test/unit/relay/ssl_peer.h"

#include <vector>

#include <openssl/err.h>
#include <openssl/pool.h>

#include "test/unit/relay/relay_fixture.h"

namespace kith {

SslPeer::SslPeer(TlsRole role, const X509Svid &svid, FileDescriptor fd)
    : context_(SSL_CTX_new(TLS_with_buffers_method())), fd_(std::move(fd)) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
  std::vector<CRYPTO_BUFFER *> chain;
  for (const Der &der : svid.chain()) {
    owned.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    chain.push_back(owned.back().get());
  }
  Expect(
      SSL_CTX_set_chain_and_key(
          context_.get(), chain.data(), chain.size(), svid.key(), nullptr) == 1,
      "SSL_CTX_set_chain_and_key");
  SSL_CTX_set_custom_verify(context_.get(),
                            SSL_VERIFY_PEER,
                            [](SSL *, uint8_t *) { return ssl_verify_ok; });
  ssl_.reset(SSL_new(context_.get()));
  Expect(SSL_set_fd(ssl_.get(), fd_.get()) == 1, "SSL_set_fd");
  role == TlsRole::kClient ? SSL_set_connect_state(ssl_.get())
                           : SSL_set_accept_state(ssl_.get());
}

void SslPeer::Handshake() {
  Expect(SSL_do_handshake(ssl_.get()) == 1, "SSL_do_handshake");
}

void SslPeer::Send(std::string_view bytes) {
  Expect(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
             static_cast<int>(bytes.size()),
         "SSL_write");
}

std::string SslPeer::Receive(size_t length) {
  std::string bytes(length, '\0');
  for (size_t received = 0; received < length;) {
    int count = SSL_read(
        ssl_.get(), &bytes[received], static_cast<int>(length - received));
    Expect(count > 0, "SSL_read");
    received += static_cast<size_t>(count);
  }
  return bytes;
}

void SslPeer::ReceiveEnd() {
  char byte = 0;
  int result = SSL_read(ssl_.get(), &byte, 1);
  Expect(SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN,
         "SSL_read of close_notify");
}

void SslPeer::SendCloseNotify() {
  Expect(SSL_shutdown(ssl_.get()) >= 0, "SSL_shutdown");
}

void SslPeer::SendAlert(uint8_t description) {
  Expect(SSL_send_fatal_alert(ssl_.get(), description) == 1,
         "SSL_send_fatal_alert");
}

void SslPeer::UpdateKey(bool ask_for_theirs) {
  Expect(SSL_key_update(ssl_.get(),
                        ask_for_theirs ? SSL_KEY_UPDATE_REQUESTED
                                       : SSL_KEY_UPDATE_NOT_REQUESTED) == 1,
         "SSL_key_update");
}

void SslPeer::SendRaw(std::string_view bytes) {
  kith::Send(fd_.get(), bytes);
}

uint8_t SslPeer::ReceiveAlert() {
  ERR_clear_error();
  char byte = 0;
  Expect(SSL_read(ssl_.get(), &byte, 1) <= 0, "SSL_read of an alert");
  int reason = ERR_GET_REASON(ERR_peek_error());
  Expect(reason > SSL_AD_REASON_OFFSET, "SSL_read of an alert");
  return static_cast<uint8_t>(reason - SSL_AD_REASON_OFFSET);
}

}  // namespace kith
