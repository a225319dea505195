// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/trace_json.h"

#include <nlohmann/json.hpp>

#include "agent/admin/flow_json.h"

namespace kith {

Json TraceEventJson(const TraceEvent &event) {
  Json json = Json::object();
  json["at"] = Rfc3339(event.at);
  json["sinceStartMicros"] = event.since_start.count();
  json["step"] = event.step;
  if (!event.detail.empty()) {
    json["detail"] = event.detail;
  }
  json["flow"] = FlowJson(event.flow);
  return json;
}

Json LostEventsJson(uint64_t count, std::chrono::system_clock::time_point at) {
  Json json = Json::object();
  json["at"] = Rfc3339(at);
  json["step"] = "lost";
  json["lost"] = count;
  return json;
}

}  // namespace kith
