// SPDX-License-Identifier: Apache-2.0
// A parent exports, a child imports; and what becomes of it when one fails.
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>

#include "agent/checkpoint/takeover.pb.h"
#include "agent/hotrestart/child.h"
#include "agent/hotrestart/message_channel.h"
#include "agent/hotrestart/parent.h"

namespace kith {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr char kCgroup[] = "/sys/fs/cgroup/test";

std::string Path() {
  return absl::StrCat("/tmp/kith-restart-", getpid(), ".sock");
}

// An agent with one open flow, of which only what a restart needs is there.
class Parent {
 public:
  explicit Parent(absl::Status export_error = absl::OkStatus())
      : export_error_(std::move(export_error)) {
    FlowRecord record;
    record.opened_at = std::chrono::system_clock::now();
    record.rule = "a rule";
    flow_ = flows_->Open(record);
    flow_->SetAbort([this](CloseReason reason) { Leave(reason); });
    auto parent = HotRestartParent::Start(
        Path(),
        {.cgroup = kCgroup,
         .flows = *flows_,
         .exported = exported_,
         .export_hooks = [this] { return Export(); },
         .rollback_hooks =
             [this](bool lost) {
               rolled_back_.set_value(lost);
               return absl::OkStatus();
             },
         .export_direct = [this](bool exported) { direct_ = exported; },
         .resume =
             [this](StreamCheckpoint flow) {
               resumed_.set_value(flow.record.rule);
             },
         .stop_accepting = [this] { accepting_ = false; },
         .drain = [] {},
         .close_ports = [this] { ports_ = false; },
         .open_ports =
             [this] {
               ports_ = true;
               carries_on_.set_value();  // the last step of a rollback
               return absl::OkStatus();
             },
         .done = [this] { done_.set_value(); }},
        false);
    REQUIRE(parent.ok());
    parent_ = *std::move(parent);
  }

  template <typename T>
  static T Wait(std::promise<T> &promise) {
    auto future = promise.get_future();
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get();
  }
  void AwaitDone() { Wait(done_); }
  void AwaitCarriesOn() { Wait(carries_on_); }
  bool AwaitRollback() { return Wait(rolled_back_); }
  std::string AwaitResumed() { return Wait(resumed_); }

  std::atomic<bool> accepting_{true};
  std::atomic<bool> direct_{false};
  std::atomic<bool> ports_{true};

 private:
  absl::StatusOr<std::vector<FileDescriptor>> Export() {
    if (!export_error_.ok()) {
      return export_error_;
    }
    std::vector<FileDescriptor> claim;
    claim.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return claim;
  }

  // What a relay does that is exported.
  void Leave(CloseReason reason) {
    if (reason != CloseReason::kHandedOver) {
      return;
    }
    int inner[2];
    int outer[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, inner) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, outer) == 0);
    StreamCheckpoint checkpoint;
    checkpoint.record = flow_->Snapshot();
    checkpoint.process = std::make_shared<AttestedProcess>();
    checkpoint.relay.inner.socket = FileDescriptor(inner[0]);
    checkpoint.relay.outer.socket = FileDescriptor(outer[0]);
    ends_.emplace_back(inner[1]);
    ends_.emplace_back(outer[1]);
    flows_->Close(*flow_, reason, "");
    exported_.Put(std::move(checkpoint));
  }

  const absl::Status export_error_;
  std::unique_ptr<TraceHub> trace_ = TraceHub::Create();
  std::unique_ptr<FlowTable> flows_ = std::make_unique<FlowTable>(trace_.get());
  std::shared_ptr<LiveFlow> flow_;
  std::vector<FileDescriptor> ends_;
  ExportedFlows exported_;
  std::promise<void> done_;
  std::promise<void> carries_on_;
  std::promise<bool> rolled_back_;
  std::promise<std::string> resumed_;
  std::unique_ptr<HotRestartParent> parent_;  // ends first
};

TEST_CASE("without a parent a child has nothing to import") {
  auto child = HotRestartChild::Ask(Path(), kCgroup);
  REQUIRE(child.ok());
  CHECK(*child == nullptr);
}

TEST_CASE("the child has the hooks, then the flows, and the parent ends") {
  Parent parent;
  auto child = HotRestartChild::Ask(Path(), kCgroup);
  REQUIRE(child.ok());
  CHECK((*child)->TakeImport().claim.size() == 1);
  CHECK((*child)->last_flow_id() > 1);
  REQUIRE((*child)->BeginSwap().ok());
  std::vector<std::string> resumed;
  const absl::Status received = (*child)->ReceiveFlows(
      [&](const StreamCheckpoint &flow) {
        resumed.push_back(flow.record.rule);
      },
      [] {});
  REQUIRE(received.ok());
  CHECK(resumed == std::vector<std::string>{"a rule"});
  CHECK_FALSE(parent.accepting_);
  CHECK_FALSE(parent.ports_);
  CHECK(parent.direct_);
  REQUIRE((*child)->Finish().ok());
  parent.AwaitDone();
}

TEST_CASE("a child of another cgroup is refused, and nothing changes") {
  Parent parent;
  auto child = HotRestartChild::Ask(Path(), "/sys/fs/cgroup/other");
  CHECK(absl::IsFailedPrecondition(child.status()));
  CHECK(child.status().message().find("manages /sys/fs/cgroup/test") !=
        std::string::npos);
  CHECK(parent.accepting_);
}

TEST_CASE("a parent that cannot export its hooks says why") {
  Parent parent(absl::InternalError("bpffs is full"));
  auto child = HotRestartChild::Ask(Path(), kCgroup);
  CHECK(child.status().message().find("bpffs is full") != std::string::npos);
}

TEST_CASE("a child that ends before it swaps is rolled back") {
  Parent parent;
  auto child = HotRestartChild::Ask(Path(), kCgroup);
  REQUIRE(child.ok());
  child->reset();
  CHECK_FALSE(parent.AwaitRollback());  // the hooks are as they were
  CHECK(parent.accepting_);
}

TEST_CASE("a child that ends after it swapped loses nothing of the parent's") {
  Parent parent;
  auto child = HotRestartChild::Ask(Path(), kCgroup);
  REQUIRE(child.ok());
  REQUIRE((*child)->BeginSwap().ok());
  child->reset();
  CHECK(parent.AwaitRollback());  // the hooks are lost, and attached again
  parent.AwaitCarriesOn();
  CHECK(parent.ports_);
}

TEST_CASE("a flow that the child did not get goes on at the parent") {
  Parent parent;
  auto channel = MessageChannel::Connect(Path());
  REQUIRE(channel.ok());
  takeover::Hello hello;
  hello.set_version(HotRestartParent::kVersion);
  hello.set_cgroup(kCgroup);
  REQUIRE(channel
              ->Send({.kind = Message::Kind::kHello,
                      .body = hello.SerializeAsString()})
              .ok());
  REQUIRE(channel->ReceiveKind(Message::Kind::kWelcome, kPatience).ok());
  REQUIRE(channel->Send({.kind = Message::Kind::kSwapping}).ok());
  // It reads no more, as one that has died.
  REQUIRE(shutdown(channel->fd(), SHUT_RD) == 0);
  REQUIRE(channel->Send({.kind = Message::Kind::kSteering}).ok());
  CHECK(parent.AwaitResumed() == "a rule");
  CHECK(parent.AwaitRollback());
  parent.AwaitCarriesOn();
  CHECK_FALSE(parent.direct_);
}

}  // namespace
}  // namespace kith
