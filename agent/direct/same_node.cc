// SPDX-License-Identifier: Apache-2.0
#include "agent/direct/same_node.h"

#include <map>
#include <set>
#include <utility>

#include "agent/direct/direct_rows.h"
#include "agent/direct/remembered_grants.h"
#include "agent/revocation/svid_revocation.h"
#include "agent/runtime/log.h"
#include "agent/runtime/worker.h"

namespace kith {
namespace {

using std::chrono::steady_clock;

// How often the table of direct flows is looked through: events may be lost.
constexpr std::chrono::seconds kPeriod{2};

// A flow that had a pass at its last moment is heard of later.
constexpr std::chrono::seconds kGrace{10};

// A server may ask who its client was when that has gone.
constexpr std::chrono::seconds kAfterFlow{60};

// A connect() that is under way for longer, and has no socket, never began: it
// failed between two hooks (TCP gives up after 127 s by itself).
constexpr std::chrono::seconds kConnecting{180};

// Identities of passes must not be taken for those of another agent's: ids
// begin where no agent that started earlier can have come to.
constexpr uint64_t kIdsPerMicrosecond = 2048;

// Everything happens on one thread, in the order in which it was asked for.
class OneThreadSameNode final : public SameNode {
 public:
  explicit OneThreadSameNode(AgentStages *stages)
      : stages_(*stages),
        passes_(**stages->datapath->passes()),
        next_id_(stages->generation_base * kIdsPerMicrosecond) {}
  ~OneThreadSameNode() override { Stop(); }

  void Start() override { worker_.Start(); }
  void Stop() override { worker_.Stop(); }
  std::unique_ptr<LocalPairs::Entry> Arrive(const LocalConnection &point,
                                            Party party) override;
  void Changed(uint64_t cookie) override {
    worker_.Post([this, cookie] { Look(cookie); });
  }
  void VoidGrants() override { passes_.Void(); }
  void LetGo() override {
    worker_.Post([this] { let_go_ = true; });
  }
  void Rollback() override {
    worker_.Post([this] { let_go_ = false; });
  }

 private:
  void MakeLocalGrant(const LocalPairs::Both &both,
                      const LocalConnection &point);
  void ForgetIfNeverBegun(uint64_t cookie, const direct_flow &flow);
  void Look(uint64_t cookie);
  void LookThrough();
  std::shared_ptr<const Pass> GrantOf(uint64_t cookie, const direct_flow &flow);
  bool OpenRows(uint64_t cookie, const direct_flow &flow);
  void Abort(uint64_t cookie, CloseReason reason);
  void Close(uint64_t cookie, const DirectBytes &bytes, const FlowEnd &end);
  bool EndConnection(uint64_t cookie, DirectBytes &bytes);

  AgentStages &stages_;
  DirectGrants &passes_;
  LocalPairs pairs_;

  // Of the worker.
  bool let_go_ = false;  // another process keeps account
  uint64_t next_id_;
  RememberedGrants given_;
  std::map<uint64_t, std::unique_ptr<DirectRows>> open_;  // by cookie

  Worker worker_{kPeriod, [this] { LookThrough(); }};  // ends first
};

std::unique_ptr<LocalPairs::Entry> OneThreadSameNode::Arrive(
    const LocalConnection &point, Party party) {
  if (!point.server.IsLoopback()) {
    return nullptr;
  }
  std::optional<LocalPairs::Both> both;
  auto stay = pairs_.Arrive(point, std::move(party), both);
  if (both.has_value()) {
    worker_.Post([this, point, both = *std::move(both)] {
      MakeLocalGrant(both, point);
    });
  }
  return stay;
}

// What the pass is shown with must be there before the first flow has it.
void OneThreadSameNode::MakeLocalGrant(const LocalPairs::Both &both,
                                       const LocalConnection &point) {
  const auto resources = stages_.resources->current();
  if (let_go_ || given_.full() ||
      both.client.permit.generation != resources->generation ||
      both.server.permit.generation != resources->generation ||
      !CheckParties(stages_, *both.client.flow).ok()) {
    return;  // the next handshake will tell
  }
  auto pass = MakeGrant(stages_, next_id_++, both);
  absl::Status opened =
      passes_.Open({.id = pass->id,
                    .client = both.client.process,
                    .server = both.server.permit.process->facts,
                    .netns_cookie = point.netns_cookie,
                    .destination = point.server,
                    .policy_generation = stages_.PolicyGeneration(*resources),
                    .lifetime = LifetimeOf(*pass, kGrantLifetime)});
  if (opened.ok()) {
    given_.Put(pass, steady_clock::now() + kGrantLifetime + kGrace);
  }
  both.client.flow->Update(
      [](FlowRecord &) {},
      "pass",
      opened.ok() ? "the next connections go straight to the listener"
                  : opened.message());
}

std::shared_ptr<const Pass> OneThreadSameNode::GrantOf(
    uint64_t cookie, const direct_flow &flow) {
  if (auto given = given_.Find(flow.pass)) {
    return given;
  }
  auto adopted = AdoptGrant(stages_, next_id_++, flow);
  if (!adopted.ok()) {
    DirectBytes bytes;
    if (EndConnection(cookie, bytes)) {
      RecordUnknown(
          stages_, flow, bytes, std::string(adopted.status().message()));
    }
    return nullptr;
  }
  passes_.Name(cookie, (*adopted)->id);
  return *std::move(adopted);
}

// False: the flow has been ended.
bool OneThreadSameNode::OpenRows(uint64_t cookie, const direct_flow &flow) {
  auto pass = GrantOf(cookie, flow);
  if (pass == nullptr) {
    return false;
  }
  auto rows = DirectRows::Open(
      stages_, flow, std::move(pass), [this, cookie](CloseReason reason) {
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

// False: the connection is open still, and known.
bool OneThreadSameNode::EndConnection(uint64_t cookie, DirectBytes &bytes) {
  auto flow = passes_.Find(cookie);
  if (!flow.ok()) {
    return true;
  }
  const auto counted = passes_.Count(*flow);
  bytes = counted.ok() ? *counted
                       : DirectBytes{flow->bytes_sent, flow->bytes_received};
  if (auto ended = passes_.End(*flow);
      !ended.ok() && !absl::IsNotFound(ended)) {
    Log(LogLevel::kError,
        "a direct flow could not be ended",
        {{"client", Endpoint::FromAbi(flow->client).ToString()},
         {"error", ended.message()}});
    return false;
  }
  passes_.Forget(cookie);
  return true;
}

void OneThreadSameNode::Close(uint64_t cookie,
                              const DirectBytes &bytes,
                              const FlowEnd &end) {
  if (auto rows = open_.extract(cookie); !rows.empty()) {
    rows.mapped()->Close(bytes, end);
    given_.Put(rows.mapped()->pass(), steady_clock::now() + kAfterFlow);
  }
}

void OneThreadSameNode::Abort(uint64_t cookie, CloseReason reason) {
  const auto rows = open_.find(cookie);
  if (rows == open_.end()) {
    return;
  }
  if (reason == CloseReason::kHandedOver) {  // the connection does not notice
    auto flow = passes_.Find(cookie);
    auto counted = flow.ok() ? passes_.Count(*flow) : flow.status();
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

void OneThreadSameNode::ForgetIfNeverBegun(uint64_t cookie,
                                           const direct_flow &flow) {
  const std::chrono::nanoseconds began(flow.origin.connected_at_ns);
  if (steady_clock::now().time_since_epoch() - began > kConnecting &&
      absl::IsNotFound(passes_.Count(flow).status())) {
    passes_.Forget(cookie);
  }
}

void OneThreadSameNode::Look(uint64_t cookie) {
  if (let_go_) {
    return;
  }
  const auto flow = passes_.Find(cookie);
  auto known = open_.find(cookie);
  // The socket has been used again meanwhile.
  if (known != open_.end() &&
      (!flow.ok() ||
       known->second->connected_at_ns() != flow->origin.connected_at_ns)) {
    Close(cookie, {}, {CloseReason::kClosed, ""});
    known = open_.end();
  }
  if (flow.ok() && flow->state == DIRECT_CONNECTING) {
    ForgetIfNeverBegun(cookie, *flow);
    return;
  }
  if (!flow.ok() || (known == open_.end() && !OpenRows(cookie, *flow))) {
    return;
  }
  if (flow->state == DIRECT_CLOSED) {
    passes_.Forget(cookie);
    Close(cookie, {flow->bytes_sent, flow->bytes_received}, EndOf(*flow));
  } else if (known != open_.end() && !known->second->forbidden().empty()) {
    Abort(cookie, CloseReason::kRevoked);  // which has failed before
  }
}

void OneThreadSameNode::LookThrough() {
  if (let_go_) {
    return;
  }
  const std::vector<uint64_t> listed = passes_.List();
  std::set<uint64_t> cookies(listed.begin(), listed.end());
  for (const auto &[cookie, rows] : open_) {
    cookies.insert(cookie);
  }
  for (const uint64_t cookie : cookies) {
    Look(cookie);
  }
  passes_.Sweep();
  given_.Sweep(steady_clock::now());
}

}  // namespace

std::unique_ptr<SameNode> SameNode::Create(AgentStages *stages) {
  if (!stages->datapath->passes().ok()) {
    return nullptr;
  }
  return std::make_unique<OneThreadSameNode>(stages);
}

}  // namespace kith
