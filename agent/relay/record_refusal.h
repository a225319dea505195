// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "agent/handshake/tls_stream.h"
#include "agent/relay/conveyor.h"

namespace kith {

// RefusalOf returns how a flow ends after a record that is neither data nor
// control nor close_notify.
LoadResult RefusalOf(const RecordReader &reader, const OpenedRecord &opened);

// PassOnKeyUpdateRequest makes a KeyUpdate precede our next record if the peer
// asked for one. Returns a refusal if the sending key cannot change.
std::optional<LoadResult> PassOnKeyUpdateRequest(TlsStream &stream);

}  // namespace kith
