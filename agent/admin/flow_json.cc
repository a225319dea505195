// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/flow_json.h"

#include <nlohmann/json.hpp>

namespace kith {
namespace {

const char *DirectionName(FlowDirection direction) {
  return direction == FlowDirection::kOutbound ? "outbound" : "inbound";
}

const char *StateName(FlowState state) {
  switch (state) {
    case FlowState::kHolding:
      return "holding";
    case FlowState::kAttesting:
      return "attesting";
    case FlowState::kHandshaking:
      return "handshaking";
    case FlowState::kOpen:
      return "open";
    case FlowState::kClosed:
      return "closed";
  }
  return "";
}

const char *ModeName(FlowMode mode) {
  switch (mode) {
    case FlowMode::kUndecided:
      return "";
    case FlowMode::kMtls:
      return "mtls";
    case FlowMode::kPlaintext:
      return "plaintext";
    case FlowMode::kPassthrough:
      return "passthrough";
    case FlowMode::kDenied:
      return "denied";
  }
  return "";
}

void PutText(Json &json, const char *name, std::string_view text) {
  if (!text.empty()) {
    json[name] = text;
  }
}

void PutObject(Json &json, const char *name, Json object) {
  if (!object.empty()) {
    json[name] = std::move(object);
  }
}

Json ProcessJson(const FlowRecord::Process &process) {
  Json json = Json::object();
  if (process.pid == 0) {
    return json;
  }
  json["pid"] = process.pid;
  if (process.start_time_ns != 0) {
    json["startTime"] = Rfc3339(SinceBoot(process.start_time_ns));
  }
  PutText(json, "name", process.name);
  PutText(json, "cmdline", process.cmdline);
  PutText(json, "cgroup", process.cgroup);
  return json;
}

Json PartyJson(const FlowRecord::Party &party) {
  Json json = Json::object();
  PutText(json, "spiffeId", party.spiffe_id);
  PutText(json, "svidSerial", party.svid_serial);
  PutText(json, "svidAuthority", party.svid_authority);
  return json;
}

Json PeerJson(const FlowRecord::Party &peer) {
  Json json = PartyJson(peer);
  if (peer.svid_expires) {
    json["svidExpires"] = Rfc3339(*peer.svid_expires);
  }
  return json;
}

Json TlsJson(const FlowRecord::Tls &tls) {
  Json json = Json::object();
  PutText(json, "version", tls.version);
  PutText(json, "cipher", tls.cipher);
  PutText(json, "group", tls.group);
  PutText(json, "alpn", tls.alpn);
  return json;
}

Json TimingJson(const FlowRecord::Timing &timing) {
  Json json = Json::object();
  const std::pair<const char *, std::optional<std::chrono::microseconds>>
      steps[] = {{"hold", timing.hold},
                 {"attest", timing.attest},
                 {"dial", timing.dial},
                 {"handshake", timing.handshake},
                 {"total", timing.total}};
  for (const auto &[name, duration] : steps) {
    if (duration) {
      json[name] = duration->count();
    }
  }
  return json;
}

void PutEnds(Json &json, const FlowRecord &flow) {
  if (flow.client) {
    json["client"] = flow.client->ToString();
  }
  if (flow.destination) {
    json["destination"] = flow.destination->ToString();
  }
}

void PutClose(Json &json, const FlowRecord &flow) {
  if (flow.closed_at) {
    json["closedAt"] = Rfc3339(*flow.closed_at);
  }
  if (flow.reason != CloseReason::kNone) {
    json["reason"] = ReasonName(flow.reason);
  }
  PutText(json, "detail", flow.detail);
}

}  // namespace

Json FlowJson(const FlowRecord &flow) {
  Json json = Json::object();
  // Text: a JSON number holds only 53 bits in many readers.
  json["id"] = std::to_string(flow.id);
  json["direction"] = DirectionName(flow.direction);
  json["state"] = StateName(flow.state);
  PutText(json, "mode", ModeName(flow.mode));
  json["path"] = PathName(flow.path);
  PutObject(json, "process", ProcessJson(flow.process));
  PutObject(json, "local", PartyJson(flow.local));
  PutObject(json, "peer", PeerJson(flow.peer));
  PutEnds(json, flow);
  if (flow.tls) {
    PutObject(json, "tls", TlsJson(*flow.tls));
  }
  PutText(json, "rule", flow.rule);
  json["bytesSent"] = flow.bytes_sent;
  json["bytesReceived"] = flow.bytes_received;
  json["openedAt"] = Rfc3339(flow.opened_at);
  PutClose(json, flow);
  PutObject(json, "timingMicros", TimingJson(flow.timing));
  return json;
}

}  // namespace kith
