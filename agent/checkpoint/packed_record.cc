// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/packed_record.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

using std::chrono::microseconds;
using std::chrono::system_clock;

int64_t Micros(system_clock::time_point time) {
  return std::chrono::duration_cast<microseconds>(time.time_since_epoch())
      .count();
}

// Time bounds what another process says: a clock counts nanoseconds, and the
// distance of two times must be one it can hold.
system_clock::time_point Time(int64_t micros) {
  constexpr int64_t kMost = microseconds(std::chrono::years(100)).count();
  return system_clock::time_point(
      microseconds(std::clamp(micros, -kMost, kMost)));
}

int64_t PackStep(const std::optional<microseconds> &step) {
  return step.has_value() ? step->count() : -1;
}

std::optional<microseconds> UnpackStep(int64_t step) {
  return step < 0 ? std::nullopt : std::optional(microseconds(step));
}

void PackParty(const FlowRecord::Party &party, takeover::Party &out) {
  out.set_spiffe_id(party.spiffe_id);
  out.set_svid_serial(party.svid_serial);
  out.set_svid_authority(party.svid_authority);
  out.set_svid_expires(party.svid_expires ? Micros(*party.svid_expires) : 0);
}

FlowRecord::Party UnpackParty(const takeover::Party &in) {
  FlowRecord::Party party;
  party.spiffe_id = in.spiffe_id();
  party.svid_serial = in.svid_serial();
  party.svid_authority = in.svid_authority();
  if (in.svid_expires() != 0) {
    party.svid_expires = Time(in.svid_expires());
  }
  return party;
}

void PackEndpoint(const Endpoint &endpoint, takeover::Endpoint &out) {
  out.set_address(endpoint.address.data(), endpoint.address.size());
  out.set_port(endpoint.port);
}

std::optional<Endpoint> UnpackEndpoint(bool present,
                                       const takeover::Endpoint &in) {
  Endpoint endpoint;
  if (!present || in.address().size() != endpoint.address.size()) {
    return std::nullopt;
  }
  std::copy(in.address().begin(), in.address().end(), endpoint.address.begin());
  endpoint.port = static_cast<uint16_t>(in.port());
  return endpoint;
}

void PackTiming(const FlowRecord::Timing &timing, takeover::Record &out) {
  out.set_hold(PackStep(timing.hold));
  out.set_attest(PackStep(timing.attest));
  out.set_dial(PackStep(timing.dial));
  out.set_handshake(PackStep(timing.handshake));
  out.set_total(PackStep(timing.total));
}

FlowRecord::Timing UnpackTiming(const takeover::Record &in) {
  return {.hold = UnpackStep(in.hold()),
          .attest = UnpackStep(in.attest()),
          .dial = UnpackStep(in.dial()),
          .handshake = UnpackStep(in.handshake()),
          .total = UnpackStep(in.total())};
}

bool IsInRange(const takeover::Record &in) {
  return in.direction() <= static_cast<uint32_t>(FlowDirection::kInbound) &&
         in.mode() <= static_cast<uint32_t>(FlowMode::kDenied) &&
         in.path() <= static_cast<uint32_t>(FlowPath::kDirect);
}

}  // namespace

void PackRecord(const FlowRecord &record, takeover::Record &out) {
  out.set_id(record.id);
  out.set_direction(static_cast<uint32_t>(record.direction));
  out.set_mode(static_cast<uint32_t>(record.mode));
  out.set_path(static_cast<uint32_t>(record.path));
  PackParty(record.local, *out.mutable_local());
  PackParty(record.peer, *out.mutable_peer());
  if (record.client.has_value()) {
    PackEndpoint(*record.client, *out.mutable_client());
  }
  if (record.destination.has_value()) {
    PackEndpoint(*record.destination, *out.mutable_destination());
  }
  if (record.tls.has_value()) {
    out.mutable_tls()->set_version(record.tls->version);
    out.mutable_tls()->set_cipher(record.tls->cipher);
    out.mutable_tls()->set_group(record.tls->group);
    out.mutable_tls()->set_alpn(record.tls->alpn);
  }
  out.set_rule(record.rule);
  out.set_bytes_sent(record.bytes_sent);
  out.set_bytes_received(record.bytes_received);
  out.set_opened_at(Micros(record.opened_at));
  PackTiming(record.timing, out);
}

absl::StatusOr<FlowRecord> UnpackRecord(const takeover::Record &in) {
  if (!IsInRange(in)) {
    return absl::InvalidArgumentError("a flow of an unknown kind");
  }
  FlowRecord record;
  record.id = in.id();
  record.direction = static_cast<FlowDirection>(in.direction());
  record.state = FlowState::kOpen;
  record.mode = static_cast<FlowMode>(in.mode());
  record.path = static_cast<FlowPath>(in.path());
  record.local = UnpackParty(in.local());
  record.peer = UnpackParty(in.peer());
  record.client = UnpackEndpoint(in.has_client(), in.client());
  record.destination = UnpackEndpoint(in.has_destination(), in.destination());
  if (in.has_tls()) {
    record.tls = {in.tls().version(),
                  in.tls().cipher(),
                  in.tls().group(),
                  in.tls().alpn()};
  }
  record.rule = in.rule();
  record.bytes_sent = in.bytes_sent();
  record.bytes_received = in.bytes_received();
  record.opened_at = Time(in.opened_at());
  record.timing = UnpackTiming(in);
  return record;
}

void PackProcess(const AttestedProcess &process, takeover::Process &out) {
  out.set_facts(&process.facts, sizeof(process.facts));
  out.set_name(process.name);
  out.set_cmdline(process.cmdline);
  out.set_cgroup(process.cgroup);
  out.set_exe(process.exe);
  for (const Selector &selector : process.attestation.selectors) {
    takeover::Selector &packed = *out.add_selectors();
    packed.set_key(selector.key);
    packed.set_value(selector.value);
    packed.set_source(selector.source);
  }
  for (const AttestorFailure &failure : process.attestation.failures) {
    takeover::AttestorFailure &packed = *out.add_failures();
    packed.set_attestor(failure.attestor);
    packed.set_code(static_cast<uint32_t>(failure.status.code()));
    packed.set_message(std::string(failure.status.message()));
    for (const std::string &key : failure.keys) {
      packed.add_keys(key);
    }
  }
}

absl::StatusOr<std::shared_ptr<const AttestedProcess>> UnpackProcess(
    const takeover::Process &in) {
  auto process = std::make_shared<AttestedProcess>();
  if (in.facts().size() != sizeof(process->facts)) {
    return absl::InvalidArgumentError("facts of a process of a wrong length");
  }
  std::memcpy(&process->facts, in.facts().data(), sizeof(process->facts));
  process->name = in.name();
  process->cmdline = in.cmdline();
  process->cgroup = in.cgroup();
  process->exe = in.exe();
  for (const takeover::Selector &packed : in.selectors()) {
    process->attestation.selectors.push_back(
        {packed.key(), packed.value(), packed.source()});
  }
  for (const takeover::AttestorFailure &packed : in.failures()) {
    process->attestation.failures.push_back(
        {packed.attestor(),
         absl::Status(static_cast<absl::StatusCode>(packed.code()),
                      packed.message()),
         {packed.keys().begin(), packed.keys().end()}});
  }
  return process;
}

}  // namespace kith
