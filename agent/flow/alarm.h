// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "agent/flowtable/flow_table.h"

namespace kith {

// RaiseNotTlsAlarm ends the flow whose outer socket tried to send something
// that is no TLS record, and logs the line that operators alert on: level
// "error", "event":"alarm", "alarm":"not_tls_segment". The alarm means that
// this build on this kernel cannot be trusted with a secret; nothing left the
// host.
void RaiseNotTlsAlarm(FlowTable &flows, uint64_t flow_id);

}  // namespace kith
