// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/same_node.h"

#include <set>
#include <utility>

#include "agent/runtime/log.h"

namespace kith {
namespace {

using std::chrono::steady_clock;

// A flow that used a grant in its last moment is reported later.
constexpr std::chrono::seconds kGrace{10};

// A server may ask for its client's identity after the client has ended.
constexpr std::chrono::seconds kAfterFlow{60};

// A connect() without a socket after this time never began: it failed between
// two hooks (TCP gives up after 127 s by itself).
constexpr std::chrono::seconds kConnecting{180};

// Grant ids must differ from those of other agents: they start above every id
// that an earlier agent can have reached.
constexpr uint64_t kIdsPerMicrosecond = 2048;

}  // namespace

SameNode::SameNode(DirectContext context)
    : context_(std::move(context)),
      next_id_(context_.flow.generation_base * kIdsPerMicrosecond) {}

void SameNode::Changed(uint64_t cookie) {
  worker_.Post([this, cookie] { Look(cookie); });
}

void SameNode::Export() {
  worker_.Post([this] { exported_ = true; });
}

void SameNode::Rollback() {
  worker_.Post([this] { exported_ = false; });
}

void SameNode::Secured(const OpenFlow &open) {
  const bool dialled = open.permit->direction == FlowDirection::kOutbound;
  const LocalConnection connection{
      .netns_cookie = open.netns_cookie,
      .client = dialled ? open.outer_local : open.outer_remote,
      .server = dialled ? open.outer_remote : open.outer_local};
  if (!connection.server.IsLoopback()) {
    return;
  }
  auto both =
      pairs_.Arrive(connection, {open.flow, *open.permit, open.process});
  if (both.has_value()) {
    worker_.Post([this, connection, both = *std::move(both)] {
      Grant(both, connection);
    });
  }
}

void SameNode::Ended(const OpenFlow &open, FlowEnd & /*end*/) {
  pairs_.Leave(open.flow->id());
}

// The grant's identities must be shown before the first flow uses it.
void SameNode::Grant(const LocalPairs::Both &both,
                     const LocalConnection &connection) {
  const auto resources = context_.resources();
  if (exported_ || given_.full() ||
      both.client.permit.generation != resources->generation ||
      both.server.permit.generation != resources->generation ||
      !context_.revocation.CheckParties(*both.client.flow).ok()) {
    return;  // the next handshake tries again
  }
  auto grant = MakeGrant(context_.flow, next_id_++, both);
  absl::Status opened = context_.grants.Open(
      {.id = grant->id,
       .client = both.client.process,
       .server = both.server.permit.process->facts,
       .netns_cookie = connection.netns_cookie,
       .destination = connection.server,
       .policy_generation = context_.flow.PolicyGeneration(*resources),
       .lifetime = LifetimeOf(*grant, kGrantLifetime)});
  if (opened.ok()) {
    given_.Put(grant, steady_clock::now() + kGrantLifetime + kGrace);
  }
  both.client.flow->Update(
      [](FlowRecord &) {},
      "pass",
      opened.ok() ? "the next connections go straight to the listener"
                  : opened.message());
}

std::shared_ptr<const DirectGrant> SameNode::GrantOf(uint64_t cookie,
                                                     const DirectFlow &flow) {
  if (auto given = given_.Find(flow.grant)) {
    return given;
  }
  auto adopted =
      AdoptGrant(context_.flow, context_.loops.Next(), next_id_++, flow);
  if (!adopted.ok()) {
    DirectBytes bytes;
    if (EndConnection(cookie, bytes)) {
      RecordUnknown(context_.flow.flows,
                    flow,
                    bytes,
                    std::string(adopted.status().message()));
    }
    return nullptr;
  }
  context_.grants.Name(cookie, (*adopted)->id);
  return *std::move(adopted);
}

// False: the flow was ended.
bool SameNode::OpenRows(uint64_t cookie, const DirectFlow &flow) {
  auto grant = GrantOf(cookie, flow);
  if (grant == nullptr) {
    return false;
  }
  auto rows = DirectRows::Open(
      context_, flow, std::move(grant), [this, cookie](CloseReason reason) {
        worker_.Post([this, cookie, reason] { Abort(cookie, reason); });
      });
  if (rows == nullptr) {
    DirectBytes bytes;
    (void)EndConnection(cookie, bytes);
    return false;
  }
  const std::string forbidden = rows->forbidden();
  open_.insert_or_assign(cookie, std::move(rows));
  if (!forbidden.empty()) {
    DirectBytes bytes;
    if (EndConnection(cookie, bytes)) {
      Close(cookie, bytes, {CloseReason::kRevoked, forbidden});
    }
  }
  return forbidden.empty();
}

// False: the connection is still open and listed.
bool SameNode::EndConnection(uint64_t cookie, DirectBytes &bytes) {
  auto flow = context_.grants.Find(cookie);
  if (!flow.ok()) {
    return true;
  }
  const auto counted = context_.grants.Count(*flow);
  bytes = counted.ok() ? *counted
                       : DirectBytes{flow->bytes_sent, flow->bytes_received};
  if (auto ended = context_.grants.End(*flow);
      !ended.ok() && !absl::IsNotFound(ended)) {
    Log(LogLevel::kError,
        "a direct flow could not be ended",
        {{"client", flow->client.ToString()}, {"error", ended.message()}});
    return false;
  }
  context_.grants.Forget(cookie);
  return true;
}

void SameNode::Close(uint64_t cookie,
                     const DirectBytes &bytes,
                     const FlowEnd &end) {
  if (auto rows = open_.extract(cookie); !rows.empty()) {
    rows.mapped()->Close(bytes, end);
    given_.Put(rows.mapped()->grant(), steady_clock::now() + kAfterFlow);
  }
}

void SameNode::Abort(uint64_t cookie, CloseReason reason) {
  const auto rows = open_.find(cookie);
  if (rows == open_.end()) {
    return;
  }
  if (reason == CloseReason::kHandedOver) {  // the connection itself continues
    auto flow = context_.grants.Find(cookie);
    auto counted = flow.ok() ? context_.grants.Count(*flow) : flow.status();
    Close(cookie, counted.ok() ? *counted : DirectBytes{}, {reason, ""});
    return;
  }
  std::string why =
      reason == CloseReason::kRevoked ? rows->second->forbidden() : "";
  DirectBytes bytes;
  if (EndConnection(cookie, bytes)) {
    Close(cookie, bytes, {reason, std::move(why)});
  }
}

void SameNode::ForgetIfNeverBegun(uint64_t cookie, const DirectFlow &flow) {
  const std::chrono::nanoseconds began(flow.origin.connected_at_ns);
  if (steady_clock::now().time_since_epoch() - began > kConnecting &&
      absl::IsNotFound(context_.grants.Count(flow).status())) {
    context_.grants.Forget(cookie);
  }
}

void SameNode::Look(uint64_t cookie) {
  if (exported_) {
    return;
  }
  const auto flow = context_.grants.Find(cookie);
  auto known = open_.find(cookie);
  // Another connection uses the socket by now.
  if (known != open_.end() &&
      (!flow.ok() ||
       known->second->connected_at_ns() != flow->origin.connected_at_ns)) {
    Close(cookie, {}, {CloseReason::kClosed, ""});
    known = open_.end();
  }
  if (flow.ok() && flow->state == DirectFlow::State::kConnecting) {
    ForgetIfNeverBegun(cookie, *flow);
    return;
  }
  if (!flow.ok() || (known == open_.end() && !OpenRows(cookie, *flow))) {
    return;
  }
  if (flow->state == DirectFlow::State::kClosed) {
    context_.grants.Forget(cookie);
    Close(cookie, {flow->bytes_sent, flow->bytes_received}, EndOf(*flow));
  } else if (known != open_.end() && !known->second->forbidden().empty()) {
    Abort(cookie, CloseReason::kRevoked);  // an earlier attempt failed
  }
}

void SameNode::LookThrough() {
  if (exported_) {
    return;
  }
  const std::vector<uint64_t> listed = context_.grants.List();
  std::set<uint64_t> cookies(listed.begin(), listed.end());
  for (const auto &[cookie, rows] : open_) {
    cookies.insert(cookie);
  }
  for (const uint64_t cookie : cookies) {
    Look(cookie);
  }
  context_.grants.Sweep();
  given_.Sweep(steady_clock::now());
}

}  // namespace kith
