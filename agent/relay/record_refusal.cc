// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/record_refusal.h"

#include "absl/strings/str_cat.h"
#include <openssl/ssl.h>

#include "agent/handshake/alert.h"

namespace kith {
namespace {

// An alert before the server's first data refuses our certificate.
LoadResult GivenUp(const RecordReader &reader, uint8_t alert) {
  return {.kind = LoadResult::Kind::kRefused,
          .reason = reader.may_still_refuse() ? CloseReason::kHandshakeFailed
                                              : CloseReason::kTlsError,
          .detail = absl::StrCat("received alert ", AlertName(alert))};
}

}  // namespace

LoadResult RefusalOf(const RecordReader &reader, const OpenedRecord &opened) {
  if (opened.kind == OpenedRecord::Kind::kAlert) {
    return GivenUp(reader, opened.alert);
  }
  return {.kind = LoadResult::Kind::kRefused,
          .reason = opened.kind == OpenedRecord::Kind::kCannotRekey
                        ? CloseReason::kRekeyUnsupported
                        : CloseReason::kTlsError,
          .detail = absl::StrCat(
              "sent alert ", AlertName(opened.alert), ": ", opened.why),
          .alert = opened.alert};
}

std::optional<LoadResult> PassOnKeyUpdateRequest(TlsStream &stream) {
  if (!stream.reader().TakeKeyUpdateRequest()) {
    return std::nullopt;
  }
  stream.writer().RequestKeyUpdate();
  if (stream.writer().can_rekey()) {
    return std::nullopt;
  }
  return RefusalOf(
      stream.reader(),
      {.kind = OpenedRecord::Kind::kCannotRekey,
       .alert = SSL_AD_INTERNAL_ERROR,
       .why = "the peer wants another key, which this kernel cannot change"});
}

}  // namespace kith
