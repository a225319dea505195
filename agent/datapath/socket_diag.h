// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"

#include "agent/datapath/direct_grants.h"
#include "agent/runtime/file_descriptor.h"
#include "kith/endpoint.h"

namespace kith {

// SocketName names one TCP socket on loopback of a network namespace. The
// cookie distinguishes the socket from a later one at the same addresses.
struct SocketName {
  Endpoint local;
  Endpoint remote;
  uint64_t cookie = 0;
};

// SocketDiag examines and ends sockets of other processes by the kernel's
// sock_diag(7). It stays in the network namespace in which it was opened. Not
// thread-safe.
class SocketDiag {
 public:
  // Open opens a sock_diag socket. Ending sockets needs CAP_NET_ADMIN.
  static absl::StatusOr<SocketDiag> Open();

  // Count returns the bytes of the application so far. NotFound: no such
  // socket.
  absl::StatusOr<DirectBytes> Count(const SocketName &name);

  // Destroy resets the connection; its application sees ECONNABORTED. NotFound:
  // no such socket; Unimplemented: the kernel has no CONFIG_INET_DIAG_DESTROY.
  absl::Status Destroy(const SocketName &name);

 private:
  explicit SocketDiag(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
  uint32_t sequence_ = 0;
};

}  // namespace kith
