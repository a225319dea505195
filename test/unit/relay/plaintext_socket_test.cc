// SPDX-License-Identifier: Apache-2.0
// A socket that is in a sockmap must never be given TLS keys: our code cannot,
// because what may enter a sockmap is not a socket any more.
#include "agent/relay/plaintext_socket.h"

#include <memory>
#include <type_traits>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "agent/handshake/handshake.h"
#include "agent/relay/relay.h"

namespace kith {
namespace {

template <typename Socket>
concept CanHandshake = requires(Socket socket, HandshakeRequest request) {
  Handshake(std::move(socket), std::move(request));
};

// The right to enter a sockmap comes from a PlaintextSocket alone.
static_assert(!std::is_constructible_v<SockmapFd, int>);
static_assert(!std::is_constructible_v<SockmapFd, TcpSocket &>);
static_assert(!std::is_constructible_v<SockmapFd, TlsStream &>);
static_assert(!std::is_constructible_v<PlaintextSocket, TlsStream &>);
static_assert(!std::is_constructible_v<PlaintextSocket, TcpSocket &>);

// And none of it leads back to a socket that could be armed.
static_assert(!std::is_constructible_v<TcpSocket, PlaintextSocket>);
static_assert(!std::is_convertible_v<PlaintextSocket, TcpSocket>);
static_assert(CanHandshake<TcpSocket>);
static_assert(!CanHandshake<PlaintextSocket>);

TEST_CASE("a socket that may be in a sockmap cannot be armed") {
  SUCCEED("checked by the compiler, above");
}

}  // namespace
}  // namespace kith
