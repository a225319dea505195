// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "agent/handshake/tls_stream.h"
#include "agent/relay/conveyor.h"

namespace kith {

// RefusalOf returns how a flow ends by a record that is neither data nor
// control nor close_notify.
LoadResult RefusalOf(const RecordReader &reader, const OpenedRecord &opened);

// PassOnKeyUpdateRequest makes our next record be preceded by a KeyUpdate if
// the peer has asked for one. Returns a refusal where the sending key cannot be
// changed.
std::optional<LoadResult> PassOnKeyUpdateRequest(TlsStream &stream);

}  // namespace kith
