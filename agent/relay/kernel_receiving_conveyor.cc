// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/kernel_receiving_conveyor.h"

#include <cerrno>
#include <string>
#include <utility>

#include <openssl/ssl.h>

#include "agent/relay/record_refusal.h"

namespace kith {
namespace {

using Kind = LoadResult::Kind;

LoadResult Broken(uint8_t alert, std::string detail) {
  return {.kind = Kind::kRefused,
          .reason = CloseReason::kTlsError,
          .detail = std::move(detail),
          .alert = alert};
}

// The kernel's errors for a record that it does not accept (net/tls/tls_sw.c
// and tls_strp.c).
LoadResult ErrorOf(int error) {
  switch (error) {
    case EAGAIN:
      return {.kind = Kind::kEmpty};
    case EBADMSG:
      return Broken(SSL_AD_BAD_RECORD_MAC,
                    "sent alert bad_record_mac: record does not decrypt");
    case EMSGSIZE:
      return Broken(SSL_AD_RECORD_OVERFLOW,
                    "sent alert record_overflow: record is too long");
    case EINVAL:
      return Broken(SSL_AD_UNEXPECTED_MESSAGE,
                    "sent alert unexpected_message: record is not protected");
    default:
      return {.kind = Kind::kError, .error = error};
  }
}

}  // namespace

LoadResult KernelReceivingConveyor::Load(int fd) {
  TakeBuffer();
  ReceivedRecord received = ReceiveRecord(fd, buffer().bytes());
  if (received.count == -EAGAIN && WaitForMoreThanQueued(fd, least_)) {
    received = ReceiveRecord(fd, buffer().bytes());
  }
  if (received.count < 0) {
    return ErrorOf(static_cast<int>(-received.count));
  }
  if (received.count == 0 && received.type == kDataRecord) {
    // Also a FIN inside a record: the kernel does not distinguish the two.
    return {.kind = Kind::kCut};
  }
  return Take(fd, received);
}

LoadResult KernelReceivingConveyor::Take(int fd,
                                         const ReceivedRecord &received) {
  const size_t length = static_cast<size_t>(received.count);
  const OpenedRecord opened =
      stream_.reader().Take(buffer().bytes().first(length), received.type);
  switch (opened.kind) {
    case OpenedRecord::Kind::kData:
      CountRead(length);
      SetPending(0, length);
      return {.kind = Kind::kMore};
    case OpenedRecord::Kind::kControl:
      return TakeControl(fd);
    case OpenedRecord::Kind::kCloseNotify:
      return {.kind = Kind::kEnd};
    default:
      return RefusalOf(stream_.reader(), opened);
  }
}

LoadResult KernelReceivingConveyor::TakeControl(int fd) {
  if (stream_.reader().TakeKeyChange()) {
    if (absl::Status changed = stream_.ReceiveInKernel(fd); !changed.ok()) {
      return Broken(SSL_AD_INTERNAL_ERROR, std::string(changed.message()));
    }
  }
  return PassOnKeyUpdateRequest(stream_).value_or(
      LoadResult{.kind = Kind::kMore});
}

}  // namespace kith
