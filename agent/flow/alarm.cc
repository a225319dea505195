// SPDX-License-Identifier: Apache-2.0
#include "agent/flow/alarm.h"

#include "agent/runtime/log.h"

namespace kith {
namespace {

void LogAlarm(const FlowRecord &flow) {
  Log(LogLevel::kError,
      "ALARM: a flow tried to send something that is no TLS record: stopped",
      {{"event", "alarm"},
       {"alarm", ReasonName(CloseReason::kNotTlsSegment)},
       {"flow", flow.id},
       {"direction",
        flow.direction == FlowDirection::kOutbound ? "outbound" : "inbound"},
       {"client", flow.client ? flow.client->ToString() : ""},
       {"destination", flow.destination ? flow.destination->ToString() : ""},
       {"process", flow.process.name},
       {"identity", flow.local.spiffe_id},
       {"peer", flow.peer.spiffe_id}});
}

}  // namespace

void RaiseNotTlsAlarm(FlowTable &flows, uint64_t flow_id) {
  FlowRecord alarmed;
  alarmed.id = flow_id;  // it may have ended meanwhile
  (void)flows.AbortWhere(
      [&](const FlowRecord &flow) {
        if (flow.id != flow_id) {
          return false;
        }
        alarmed = flow;
        return true;
      },
      CloseReason::kNotTlsSegment);
  LogAlarm(alarmed);
}

}  // namespace kith
