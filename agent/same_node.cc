// SPDX-License-Identifier: Apache-2.0
#include "agent/same_node.h"

#include <map>
#include <set>
#include <utility>

#include "agent/direct_rows.h"
#include "agent/runtime/log.h"
#include "agent/runtime/worker.h"
#include "agent/svid_revocation.h"

namespace kith {
namespace {

using std::chrono::steady_clock;

// How often the table of direct flows is looked through: events may be lost.
constexpr std::chrono::seconds kPeriod{2};

// A flow that had a pass at its last moment is heard of later; and a server may
// ask who its client was when that has gone.
constexpr std::chrono::seconds kGrace{60};

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
  std::unique_ptr<Meetings::Stay> Arrive(const MeetingPoint &point,
                                         Party party) override;
  void Changed(uint64_t cookie) override {
    worker_.Post([this, cookie] { Look(cookie); });
  }
  void VoidPasses() override { passes_.Void(); }
  void LetGo() override {
    worker_.Post([this] { let_go_ = true; });
  }
  void TakeBack() override {
    worker_.Post([this] { let_go_ = false; });
  }

 private:
  void GivePass(const Meetings::Both &both, const MeetingPoint &point);
  void Remember(const std::shared_ptr<const Pass> &pass);
  void Look(uint64_t cookie);
  void LookThrough();
  std::shared_ptr<const Pass> PassOf(uint64_t cookie, const direct_flow &flow);
  bool OpenRows(uint64_t cookie, const direct_flow &flow);
  void Refuse(uint64_t cookie, const direct_flow &flow, const std::string &why);
  void Abort(uint64_t cookie, CloseReason reason);
  void Close(uint64_t cookie, const DirectBytes &bytes, const FlowEnd &end);
  DirectBytes EndConnection(uint64_t cookie);

  struct Remembered {
    std::shared_ptr<const Pass> pass;
    steady_clock::time_point until;
  };

  AgentStages &stages_;
  Passes &passes_;
  Meetings meetings_;

  // Of the worker.
  bool let_go_ = false;  // another process keeps account
  uint64_t next_id_;
  std::map<uint64_t, Remembered> given_;                  // by id
  std::map<uint64_t, std::unique_ptr<DirectRows>> open_;  // by cookie

  Worker worker_{kPeriod, [this] { LookThrough(); }};  // ends first
};

std::unique_ptr<Meetings::Stay> OneThreadSameNode::Arrive(
    const MeetingPoint &point, Party party) {
  if (!point.server.IsLoopback()) {
    return nullptr;
  }
  std::optional<Meetings::Both> both;
  auto stay = meetings_.Arrive(point, std::move(party), both);
  if (both.has_value()) {
    worker_.Post(
        [this, point, both = *std::move(both)] { GivePass(both, point); });
  }
  return stay;
}

// What the pass is shown with must be there before the first flow has it.
void OneThreadSameNode::GivePass(const Meetings::Both &both,
                                 const MeetingPoint &point) {
  const auto resources = stages_.resources->current();
  if (let_go_ || both.client.permit.generation != resources->generation ||
      both.server.permit.generation != resources->generation ||
      !CheckParties(stages_, *both.client.flow).ok()) {
    return;  // the next handshake will tell
  }
  auto pass = MakePass(stages_, next_id_++, both);
  Remember(pass);
  absl::Status opened =
      passes_.Open({.id = pass->id,
                    .client = both.client.process,
                    .server = both.server.permit.process->facts,
                    .netns_cookie = point.netns_cookie,
                    .destination = point.server,
                    .policy_generation = stages_.PolicyGeneration(*resources),
                    .lifetime = LifetimeOf(*pass, kPassLifetime)});
  both.client.flow->Update(
      [](FlowRecord &) {},
      "pass",
      opened.ok() ? "the next connections go straight to the listener"
                  : opened.message());
}

void OneThreadSameNode::Remember(const std::shared_ptr<const Pass> &pass) {
  given_.insert_or_assign(
      pass->id, Remembered{pass, steady_clock::now() + kPassLifetime + kGrace});
}

std::shared_ptr<const Pass> OneThreadSameNode::PassOf(uint64_t cookie,
                                                      const direct_flow &flow) {
  const auto given = given_.find(flow.pass);
  if (given != given_.end()) {
    return given->second.pass;
  }
  auto adopted = AdoptPass(stages_, next_id_++, flow);
  if (!adopted.ok()) {
    Refuse(cookie, flow, std::string(adopted.status().message()));
    return nullptr;
  }
  passes_.Name(cookie, (*adopted)->id);
  return *std::move(adopted);
}

// A flow of which nobody here knows why it should be allowed. One that has
// ended while no agent ran is no matter of that.
void OneThreadSameNode::Refuse(uint64_t cookie,
                               const direct_flow &flow,
                               const std::string &why) {
  FlowRecord record;
  record.client = Endpoint::FromAbi(flow.client);
  record.destination = Endpoint::FromAbi(flow.origin.destination);
  record.process.pid = flow.origin.process.tgid;
  record.process.start_time_ns = flow.origin.process.start_time_ns;
  record.opened_at = std::chrono::system_clock::now();
  record.mode = FlowMode::kPlaintext;
  record.path = FlowPath::kSockmap;
  const DirectBytes bytes = EndConnection(cookie);
  if (auto row = stages_.flows->Open(std::move(record)); row != nullptr) {
    row->counters().bytes_sent = bytes.sent;
    row->counters().bytes_received = bytes.received;
    FinishFlow(stages_,
               *row,
               flow.state == DIRECT_CLOSED
                   ? EndOf(flow)
                   : FlowEnd{CloseReason::kRevoked, why});
  }
}

// False: the flow has been ended.
bool OneThreadSameNode::OpenRows(uint64_t cookie, const direct_flow &flow) {
  auto pass = PassOf(cookie, flow);
  if (pass == nullptr) {
    return false;
  }
  auto rows = DirectRows::Open(
      stages_, flow, std::move(pass), [this, cookie](CloseReason reason) {
        worker_.Post([this, cookie, reason] { Abort(cookie, reason); });
      });
  if (rows == nullptr) {
    (void)EndConnection(cookie);
    return false;
  }
  std::string forbidden = rows->forbidden();
  // sk_lookup must have seen it: else it has left the namespace on a way that
  // the handshake did not take (a new NAT rule).
  if (forbidden.empty() && flow.opened_at_ns != 0 && flow.assigned == 0) {
    forbidden = "it did not go to the listener that was asked";
  }
  open_.insert_or_assign(cookie, std::move(rows));
  if (!forbidden.empty()) {
    Close(cookie, EndConnection(cookie), {CloseReason::kRevoked, forbidden});
  }
  return forbidden.empty();
}

// The connection is gone when this returns.
DirectBytes OneThreadSameNode::EndConnection(uint64_t cookie) {
  auto flow = passes_.Find(cookie);
  if (!flow.ok()) {
    return {};
  }
  const auto counted = passes_.Count(*flow);
  if (auto ended = passes_.End(*flow);
      !ended.ok() && !absl::IsNotFound(ended)) {
    Log(LogLevel::kError,
        "a direct flow could not be ended",
        {{"client", Endpoint::FromAbi(flow->client).ToString()},
         {"error", ended.message()}});
  }
  passes_.Forget(cookie);
  return counted.ok() ? *counted
                      : DirectBytes{flow->bytes_sent, flow->bytes_received};
}

void OneThreadSameNode::Close(uint64_t cookie,
                              const DirectBytes &bytes,
                              const FlowEnd &end) {
  if (auto rows = open_.extract(cookie); !rows.empty()) {
    rows.mapped()->Close(bytes, end);
    Remember(rows.mapped()->pass());
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
  Close(cookie, EndConnection(cookie), {reason, std::move(why)});
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
  if (!flow.ok() || flow->state == DIRECT_CONNECTING ||
      (known == open_.end() && !OpenRows(cookie, *flow))) {
    return;
  }
  if (flow->state == DIRECT_CLOSED) {
    passes_.Forget(cookie);
    Close(cookie, {flow->bytes_sent, flow->bytes_received}, EndOf(*flow));
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
  const auto now = steady_clock::now();
  std::erase_if(given_,
                [now](const auto &pass) { return pass.second.until < now; });
}

}  // namespace

std::unique_ptr<SameNode> SameNode::Create(AgentStages *stages) {
  if (!stages->datapath->passes().ok()) {
    return nullptr;
  }
  return std::make_unique<OneThreadSameNode>(stages);
}

}  // namespace kith
