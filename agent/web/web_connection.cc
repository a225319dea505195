// SPDX-License-Identifier: Apache-2.0
#include "agent/web/web_connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "agent/identity/crypto_error.h"

namespace kith {
namespace {

int Bounded(size_t size) {
  return static_cast<int>(std::min(size, size_t{INT_MAX}));
}

}  // namespace

WebConnection::WebConnection(int fd,
                             bssl::UniquePtr<SSL> tls,
                             IoDeadline deadline)
    : fd_(fd), tls_(std::move(tls)), deadline_(deadline) {
  if (tls_ != nullptr) {
    SSL_set_fd(tls_.get(), fd_);
  }
}

bool WebConnection::Retry(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return deadline_.WaitFor(fd_, POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return deadline_.WaitFor(fd_, POLLOUT);
    default:
      return false;
  }
}

absl::Status WebConnection::Handshake() {
  if (tls_ == nullptr) {
    return absl::OkStatus();
  }
  ERR_clear_error();
  for (int result = 0; (result = SSL_do_handshake(tls_.get())) != 1;) {
    if (Retry(result)) {
      continue;
    }
    if (const long why = SSL_get_verify_result(tls_.get()); why != X509_V_OK) {
      ERR_clear_error();
      return absl::UnavailableError(X509_verify_cert_error_string(why));
    }
    return CryptoError(absl::StatusCode::kUnavailable, "TLS handshake");
  }
  return absl::OkStatus();
}

ssize_t WebConnection::Read(char *into, size_t size) {
  while (true) {
    if (tls_ == nullptr) {
      const ssize_t got = recv(fd_, into, size, MSG_DONTWAIT);
      if (got >= 0 || errno != EAGAIN || !deadline_.WaitFor(fd_, POLLIN)) {
        return got;
      }
      continue;
    }
    ERR_clear_error();
    const int got = SSL_read(tls_.get(), into, Bounded(size));
    if (got > 0) {
      return got;
    }
    if (SSL_get_error(tls_.get(), got) == SSL_ERROR_ZERO_RETURN) {
      return 0;
    }
    if (!Retry(got)) {
      return -1;
    }
  }
}

ssize_t WebConnection::Write(const char *from, size_t size) {
  while (true) {
    if (tls_ == nullptr) {
      const ssize_t sent = send(fd_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0 || errno != EAGAIN || !deadline_.WaitFor(fd_, POLLOUT)) {
        return sent;
      }
      continue;
    }
    ERR_clear_error();
    const int sent = SSL_write(tls_.get(), from, Bounded(size));
    if (sent > 0 || !Retry(sent)) {
      return sent > 0 ? sent : -1;
    }
  }
}

bool WebConnection::HasBuffered() const {
  return tls_ != nullptr && SSL_has_pending(tls_.get()) == 1;
}

bool WebConnection::WaitReadable() const {
  return HasBuffered() || deadline_.WaitFor(fd_, POLLIN);
}

bool WebConnection::WaitWritable() const {
  return deadline_.WaitFor(fd_, POLLOUT);
}

void WebConnection::End() {
  if (tls_ != nullptr) {
    (void)SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  (void)::shutdown(fd_, SHUT_WR);
}

}  // namespace kith
