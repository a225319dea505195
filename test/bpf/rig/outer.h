// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/runtime/file_descriptor.h"
#include "test/bpf/rig/cgroup.h"
#include "test/bpf/rig/netns.h"

namespace kith {

// Connection is a TCP connection over `lo` of a namespace. Its sockets belong
// to the cgroup that the test process is in.
struct Connection {
  FileDescriptor outer;  // TCP_NODELAY
  FileDescriptor peer;
};

// ConnectIn connects over 127.0.0.1 or, with AF_INET6, over [::1].
Connection ConnectIn(const TestNetns &netns, int family);

// Record is what a TLS record looks like from outside.
std::string Record(uint8_t type, uint16_t version, size_t length);

// Opening is a client's records before encryption, and one that is encrypted.
std::string Opening();

// Sealed is an encrypted record with that many bytes behind its header.
inline std::string Sealed(size_t length) {
  return Record(23, 0x0303, length);
}

// Send writes all bytes in as few calls as it takes; false if it cannot.
bool Send(const FileDescriptor &socket, std::string_view bytes);

// Receive returns `count` bytes, or fewer if none come for ten seconds.
std::string Receive(const FileDescriptor &socket, size_t count);

// Reset closes the socket by RST, and Drain returns what the peer still gets
// before it sees that.
void Reset(FileDescriptor &socket);
std::string Drain(const FileDescriptor &socket);

// Retransmitted returns the segments that the socket has sent again.
uint32_t Retransmitted(const FileDescriptor &socket);

// PacketLoss drops one of 16 packets that arrive at sockets of the cgroup.
class PacketLoss {
 public:
  explicit PacketLoss(const TestCgroup &cgroup);

 private:
  FileDescriptor link_;
};

}  // namespace kith
