// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "agent/runtime/file_descriptor.h"
#include "kith/endpoint.h"

namespace kith {

// At parses "127.0.0.1:80" or fails the test.
Endpoint At(const std::string &text);

Endpoint LocalOf(const FileDescriptor &socket);
Endpoint PeerOf(const FileDescriptor &socket);

// Accepted is a connection, with the peer as accept() told it.
struct Accepted {
  FileDescriptor socket;
  Endpoint peer;
};

// Accept waits until a connection comes; nothing if none does in five seconds.
std::optional<Accepted> Accept(const FileDescriptor &listener);

// HasConnection tells whether accept() would succeed now.
bool HasConnection(const FileDescriptor &listener);

// BindTo and ConnectTo return errno.
int BindTo(const FileDescriptor &socket, const Endpoint &local);
int ConnectTo(const FileDescriptor &socket, const Endpoint &to);

}  // namespace kith
