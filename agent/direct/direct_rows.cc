// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/direct_rows.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

using std::chrono::system_clock;

// TCP states that a connection is left from without a FIN of both sides
// (include/net/tcp_states.h).
constexpr uint32_t kSynSent = 2;
constexpr uint32_t kEstablished = 1;
constexpr uint32_t kCloseWait = 8;

system_clock::time_point TimeOf(const flow_origin &origin) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return system_clock::now() -
         std::chrono::duration_cast<system_clock::duration>(
             now - std::chrono::nanoseconds(origin.connected_at_ns));
}

std::optional<std::chrono::microseconds> TimeToOpen(const direct_flow &flow) {
  if (flow.opened_at_ns == 0) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::nanoseconds(flow.opened_at_ns -
                               flow.origin.connected_at_ns));
}

// The row begins as that of the flow whose handshake it is allowed by.
FlowRecord NewRecord(const direct_flow &flow, const FlowRecord &first) {
  FlowRecord record = first;
  record.id = 0;
  record.state = FlowState::kAttesting;
  record.mode = FlowMode::kUndecided;
  record.path = FlowPath::kNone;
  record.client = Endpoint::FromAbi(flow.client);
  record.destination = Endpoint::FromAbi(flow.origin.destination);
  record.tls.reset();
  record.bytes_sent = 0;
  record.bytes_received = 0;
  record.opened_at = TimeOf(flow.origin);
  record.closed_at.reset();
  record.reason = CloseReason::kNone;
  record.detail.clear();
  record.timing = {};
  return record;
}

// LastCount asks the kernel; what it said last stands when it has no answer.
class LastCount {
 public:
  LastCount(DirectGrants &passes, const direct_flow &flow)
      : passes_(passes), flow_(flow) {}

  DirectBytes Now() {
    if (auto counted = passes_.Count(flow_); counted.ok()) {
      last_ = *counted;
    }
    return last_;
  }

 private:
  DirectGrants &passes_;
  const direct_flow flow_;
  DirectBytes last_;
};

// Each row has a counter of its own, for it is called under the row's lock.
void ShowBytes(LiveFlow &row,
               DirectGrants &passes,
               const direct_flow &flow,
               bool as_server) {
  row.CountAlso([count = LastCount(passes, flow), as_server]() mutable {
    const DirectBytes now = count.Now();
    return as_server ? ByteCounts{now.received, now.sent}
                     : ByteCounts{now.sent, now.received};
  });
}

FlowEnd SeenFromServer(FlowEnd end) {
  if (end.reason == CloseReason::kResetByApplication) {
    end.reason = CloseReason::kResetByPeer;
  } else if (end.reason == CloseReason::kResetByPeer) {
    end.reason = CloseReason::kResetByApplication;
  }
  return end;
}

void SetBytes(LiveFlow &row, uint64_t sent, uint64_t received) {
  row.CountAlso({});
  row.counters().bytes_sent = sent;
  row.counters().bytes_received = received;
}

}  // namespace

FlowEnd EndOf(const direct_flow &flow) {
  if (flow.opened_at_ns == 0) {
    return {CloseReason::kDialFailed,
            std::strerror(flow.error != 0 ? static_cast<int>(flow.error)
                                          : ECONNREFUSED)};
  }
  switch (flow.error) {
    case 0:
      break;
    case ECONNRESET:
    case EPIPE:
      return {CloseReason::kResetByPeer, ""};
    default:
      return {CloseReason::kResetByApplication,
              std::strerror(static_cast<int>(flow.error))};
  }
  const bool in_order = flow.closed_from != kEstablished &&
                        flow.closed_from != kCloseWait &&
                        flow.closed_from != kSynSent;
  return {in_order ? CloseReason::kClosed : CloseReason::kResetByApplication,
          ""};
}

std::unique_ptr<DirectRows> DirectRows::Open(AgentStages &stages,
                                             const direct_flow &flow,
                                             std::shared_ptr<const Pass> pass,
                                             const Abort &abort) {
  auto client = stages.flows->Open(NewRecord(flow, pass->client.record));
  if (client == nullptr) {
    return nullptr;
  }
  auto server = stages.flows->Open(NewRecord(flow, pass->server.record));
  if (server == nullptr) {
    FinishFlow(stages, *client, {CloseReason::kOverloaded, "too many flows"});
    return nullptr;
  }
  DirectGrants &passes = **stages.datapath->passes();
  ShowBytes(*client, passes, flow, false);
  ShowBytes(*server, passes, flow, true);
  for (LiveFlow *row : {client.get(), server.get()}) {
    row->Update([](FlowRecord &) {},
                "pass",
                pass->origin == 0
                    ? "adopted"
                    : absl::StrCat("by the handshake of flow ", pass->origin));
    RecordOpen(*row, FlowMode::kPlaintext, FlowPath::kSockmap);
    row->Update([&flow](FlowRecord &record) {
      record.timing.total = TimeToOpen(flow);  // not until it was heard of
    });
    row->SetAbort(abort);
  }
  return std::make_unique<DirectRows>(
      stages, flow, std::move(pass), std::move(client), std::move(server));
}

DirectRows::DirectRows(AgentStages &stages,
                       const direct_flow &flow,
                       std::shared_ptr<const Pass> pass,
                       std::shared_ptr<LiveFlow> client,
                       std::shared_ptr<LiveFlow> server)
    : stages_(stages),
      connected_at_ns_(flow.origin.connected_at_ns),
      astray_(flow.opened_at_ns != 0 && flow.assigned == 0),
      pass_(std::move(pass)),
      client_(std::move(client)),
      server_(std::move(server)),
      client_permitted_(stages, *client_, pass_->client.permit),
      server_permitted_(stages, *server_, pass_->server.permit) {}

std::string DirectRows::forbidden() const {
  for (const PermittedFlow *each : {&client_permitted_, &server_permitted_}) {
    if (!each->allowed().ok()) {
      return std::string(each->allowed().message());
    }
    if (std::string withdrawn = each->withdrawn(); !withdrawn.empty()) {
      return withdrawn;
    }
  }
  // sk_lookup has not seen it: it has left the namespace on a way that the
  // handshake did not take (a new NAT rule).
  return astray_ ? "it did not go to the listener that was asked" : "";
}

void RecordUnknown(AgentStages &stages,
                   const direct_flow &flow,
                   const DirectBytes &bytes,
                   const std::string &why) {
  FlowRecord record;
  record.client = Endpoint::FromAbi(flow.client);
  record.destination = Endpoint::FromAbi(flow.origin.destination);
  record.process.pid = flow.origin.process.tgid;
  record.process.start_time_ns = flow.origin.process.start_time_ns;
  record.opened_at = system_clock::now();
  record.mode = FlowMode::kPlaintext;
  record.path = FlowPath::kSockmap;
  auto row = stages.flows->Open(std::move(record));
  if (row == nullptr) {
    return;
  }
  SetBytes(*row, bytes.sent, bytes.received);
  FinishFlow(stages,
             *row,
             flow.state == DIRECT_CLOSED ? EndOf(flow)
                                         : FlowEnd{CloseReason::kRevoked, why});
}

void DirectRows::Close(const DirectBytes &bytes, const FlowEnd &end) {
  SetBytes(*client_, bytes.sent, bytes.received);
  SetBytes(*server_, bytes.received, bytes.sent);
  FinishFlow(stages_, *client_, end);
  FinishFlow(stages_, *server_, SeenFromServer(end));
}

}  // namespace kith
