// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/direct_rows.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/flow/flow_steps.h"

namespace kith {
namespace {

using std::chrono::system_clock;

// TCP states that a connection leaves without a FIN of both sides
// (include/net/tcp_states.h).
constexpr uint32_t kSynSent = 2;
constexpr uint32_t kEstablished = 1;
constexpr uint32_t kCloseWait = 8;

system_clock::time_point TimeOf(const FlowOrigin &origin) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return system_clock::now() -
         std::chrono::duration_cast<system_clock::duration>(
             now - std::chrono::nanoseconds(origin.connected_at_ns));
}

std::optional<std::chrono::microseconds> TimeToOpen(const DirectFlow &flow) {
  if (flow.opened_at_ns == 0) {
    return std::nullopt;
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::nanoseconds(flow.opened_at_ns -
                               flow.origin.connected_at_ns));
}

// The row begins as a copy of the flow whose handshake allows it.
FlowRecord NewRecord(const DirectFlow &flow, const FlowRecord &first) {
  FlowRecord record = first;
  record.id = 0;
  record.state = FlowState::kAttesting;
  record.mode = FlowMode::kUndecided;
  record.path = FlowPath::kNone;
  record.client = flow.client;
  record.destination = flow.origin.destination;
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

// LastCount asks the kernel, and keeps the last answer if it has none now.
class LastCount {
 public:
  LastCount(DirectGrants &grants, const DirectFlow &flow)
      : grants_(grants), flow_(flow) {}

  DirectBytes Now() {
    if (auto counted = grants_.Count(flow_); counted.ok()) {
      last_ = *counted;
    }
    return last_;
  }

 private:
  DirectGrants &grants_;
  const DirectFlow flow_;
  DirectBytes last_;
};

// Each row has its own counter, which is called under the row's lock.
void ShowBytes(LiveFlow &row,
               DirectGrants &grants,
               const DirectFlow &flow,
               bool as_server) {
  row.CountAlso([count = LastCount(grants, flow), as_server]() mutable {
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

FlowEnd EndOf(const DirectFlow &flow) {
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

std::unique_ptr<DirectRows> DirectRows::Open(
    DirectContext &context,
    const DirectFlow &flow,
    std::shared_ptr<const DirectGrant> grant,
    const Abort &abort) {
  auto client = context.flow.flows.Open(NewRecord(flow, grant->client.record));
  if (client == nullptr) {
    return nullptr;
  }
  auto server = context.flow.flows.Open(NewRecord(flow, grant->server.record));
  if (server == nullptr) {
    FinishFlow(context.flow.flows,
               *client,
               {CloseReason::kOverloaded, "too many flows"});
    return nullptr;
  }
  DirectGrants &grants = context.grants;
  ShowBytes(*client, grants, flow, false);
  ShowBytes(*server, grants, flow, true);
  for (LiveFlow *row : {client.get(), server.get()}) {
    row->Update([](FlowRecord &) {},
                "pass",
                grant->origin == 0
                    ? "adopted"
                    : absl::StrCat("by the handshake of flow ", grant->origin));
    RecordOpen(*row, FlowMode::kPlaintext, FlowPath::kDirect);
    row->Update([&flow](FlowRecord &record) {
      record.timing.total = TimeToOpen(flow);  // unknown until reported
    });
    row->SetAbort(abort);
  }
  return std::make_unique<DirectRows>(
      context, flow, std::move(grant), std::move(client), std::move(server));
}

DirectRows::DirectRows(DirectContext &context,
                       const DirectFlow &flow,
                       std::shared_ptr<const DirectGrant> grant,
                       std::shared_ptr<LiveFlow> client,
                       std::shared_ptr<LiveFlow> server)
    : context_(context),
      connected_at_ns_(flow.origin.connected_at_ns),
      astray_(flow.opened_at_ns != 0 && !flow.assigned),
      grant_(std::move(grant)),
      client_(std::move(client)),
      server_(std::move(server)) {
  allowed_ =
      context_.revocation.Enter(*client_, {grant_, &grant_->client.permit});
  allowed_.Update(
      context_.revocation.Enter(*server_, {grant_, &grant_->server.permit}));
}

DirectRows::~DirectRows() {
  context_.revocation.Forget(client_->id());
  context_.revocation.Forget(server_->id());
}

std::string DirectRows::forbidden() const {
  if (!allowed_.ok()) {
    return std::string(allowed_.message());
  }
  for (const LiveFlow *row : {client_.get(), server_.get()}) {
    if (std::string why = context_.revocation.Withdrawn(row->id());
        !why.empty()) {
      return why;
    }
  }
  // sk_lookup did not see the flow: it left the namespace by a path that the
  // handshake did not take (a new NAT rule).
  return astray_ ? "it did not go to the listener that was asked" : "";
}

void RecordUnknown(FlowTable &flows,
                   const DirectFlow &flow,
                   const DirectBytes &bytes,
                   const std::string &why) {
  FlowRecord record;
  record.client = flow.client;
  record.destination = flow.origin.destination;
  record.process.pid = flow.origin.process.tgid;
  record.process.start_time_ns = flow.origin.process.start_time_ns;
  record.opened_at = system_clock::now();
  record.mode = FlowMode::kPlaintext;
  record.path = FlowPath::kDirect;
  auto row = flows.Open(std::move(record));
  if (row == nullptr) {
    return;
  }
  SetBytes(*row, bytes.sent, bytes.received);
  FinishFlow(flows,
             *row,
             flow.state == DirectFlow::State::kClosed
                 ? EndOf(flow)
                 : FlowEnd{CloseReason::kRevoked, why});
}

void DirectRows::Close(const DirectBytes &bytes, const FlowEnd &end) {
  SetBytes(*client_, bytes.sent, bytes.received);
  SetBytes(*server_, bytes.received, bytes.sent);
  FinishFlow(context_.flow.flows, *client_, end);
  FinishFlow(context_.flow.flows, *server_, SeenFromServer(end));
}

}  // namespace kith
