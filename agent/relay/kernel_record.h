// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace kith {

// Content types (RFC 8446 section 5.1), as the kernel names records.
inline constexpr uint8_t kAlertRecord = 21;
inline constexpr uint8_t kHandshakeRecord = 22;
inline constexpr uint8_t kDataRecord = 23;

// SendControlRecord makes the kernel send one record of another type than data
// on a socket that has a sending key. `flags` are sendmsg's. Returns the number
// of bytes taken or -errno.
ssize_t SendControlRecord(int fd,
                          uint8_t type,
                          std::span<const uint8_t> content,
                          int flags);

// SendLastRecord does the same for the last record of a stream, and returns
// when TCP has taken everything before it as well; -EAGAIN if that would wait.
// The kernel keeps a record for which TCP has no room, and drops it when the
// socket is closed (net/tls/tls_sw.c, tls_sw_release_resources_tx): only a
// write that may wait tells that the kernel keeps nothing.
ssize_t SendLastRecord(int fd, uint8_t type, std::span<const uint8_t> content);

// WaitForMoreThanQueued makes poll report the socket readable only when more
// bytes arrive than are queued now: a part of a record cannot be read, and
// would wake its reader for ever (before 6.5, and later after our own FIN, poll
// asks TCP, not TLS). `least` is the number of bytes that makes the socket
// readable (1 at first); true if it was changed: the record may be whole by
// now.
bool WaitForMoreThanQueued(int fd, int &least);

// ReceivedRecord is the data of one or more records, or one control record, or
// a part of one. `count` is 0 at the end of the stream and -errno on an error.
struct ReceivedRecord {
  ssize_t count = 0;
  uint8_t type = kDataRecord;
};

// ReceiveRecord reads, without waiting, from a socket that has a receiving key.
ReceivedRecord ReceiveRecord(int fd, std::span<uint8_t> room);

}  // namespace kith
