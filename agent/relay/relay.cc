// SPDX-License-Identifier: Apache-2.0
#include "agent/relay/relay.h"

#include <utility>

#include "agent/relay/flow_relay.h"

namespace kith {
namespace {

class SharedRelay final : public Relay {
 public:
  explicit SharedRelay(std::shared_ptr<FlowRelay> flow)
      : flow_(std::move(flow)) {}

  Task<RelayEnd> Run() override { return FlowRelay::Run(flow_); }
  void Abort(CloseReason reason) override { flow_->End(reason, ""); }
  void Export() override { flow_->Export(); }
  RelayState TakeState() override { return flow_->TakeState(); }
  absl::Status Keep() override { return flow_->Keep(); }
  RelayOutline Outline() override { return flow_->Outline(); }
  absl::Status Enter(const CheckpointPlace &place) override {
    return flow_->Enter(place);
  }

 private:
  const std::shared_ptr<FlowRelay> flow_;
};

}  // namespace

std::unique_ptr<Relay> Relay::Tls(TcpSocket inner,
                                  std::unique_ptr<TlsStream> outer,
                                  std::shared_ptr<LiveFlow> flow) {
  return std::make_unique<SharedRelay>(std::make_shared<FlowRelay>(
      std::move(inner), std::move(outer), std::move(flow)));
}

std::unique_ptr<Relay> Relay::Plain(TcpSocket inner,
                                    TcpSocket outer,
                                    std::shared_ptr<LiveFlow> flow) {
  return std::make_unique<SharedRelay>(std::make_shared<FlowRelay>(
      std::move(inner), std::move(outer), std::move(flow)));
}

absl::StatusOr<std::unique_ptr<Relay>> Relay::Import(
    RelayState state, Executor executor, std::shared_ptr<LiveFlow> flow) {
  auto relay =
      FlowRelay::Import(std::move(state), std::move(executor), std::move(flow));
  if (!relay.ok()) {
    return relay.status();
  }
  return std::make_unique<SharedRelay>(*std::move(relay));
}

}  // namespace kith
