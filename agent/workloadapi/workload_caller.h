// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "absl/status/statusor.h"
#include <asio/thread_pool.hpp>

#include "agent/grpc/grpc_connection.h"
#include "agent/grpc/loop_signal.h"
#include "agent/grpc/peer_process.h"
#include "agent/workloadapi/secret_stream.h"
#include "agent/workloadapi/workload_api.h"
#include "agent/workloadapi/workload_messages.h"

namespace kith {

// WorkloadApiState is shared by all callers. It outlives them.
struct WorkloadApiState {
  WorkloadApiSource *source = nullptr;
  // One thread: callers wait for each other, flows never wait for callers.
  asio::thread_pool pool{1};
  WorkloadMessages messages;
};

// WorkloadCaller answers the calls of one process: of the SPIFFE Workload API
// (its standard, sections 4 to 6), and of Envoy's secret discovery service. It
// identifies the process for each call, and for each stream again after every
// change. Confined to one event loop.
class WorkloadCaller final : public GrpcPeer {
 public:
  WorkloadCaller(WorkloadApiState *state,
                 PeerProcess process,
                 const Executor &executor)
      : state_(state),
        process_(std::make_shared<PeerProcess>(std::move(process))),
        executor_(executor),
        identified_(executor) {}

  absl::StatusOr<GrpcMethod> Admit(const GrpcHeaders &headers) const override;
  Task<absl::Status> Answer(std::shared_ptr<GrpcCall> call) override;

  // Recheck makes every stream of this caller look for news.
  void Recheck();
  bool has_streams() const { return !streams_.empty(); }
  pid_t pid() const { return process_->pid(); }
  // MayBe returns false if the caller was identified as another ID than `id`.
  bool MayBe(const SpiffeId &id) const {
    return identifying_ || !identity_.ok() || *identity_ == id;
  }
  // known_facts returns the facts that identified the caller last.
  const std::optional<ProcessFacts> &known_facts() const { return facts_; }

 private:
  using Message = WorkloadMessages::Message;
  // Returns the state that a stream pushes to a caller.
  using StateOf = std::function<absl::StatusOr<Message>(const SpiffeId &)>;

  Task<absl::StatusOr<SpiffeId>> Identify();
  Task<absl::Status> Watch(std::shared_ptr<GrpcCall> call, StateOf state_of);
  // Of Envoy's secret discovery service.
  Task<absl::Status> WatchSecrets(std::shared_ptr<GrpcCall> call,
                                  std::unique_ptr<SecretStream> stream);
  Task<absl::Status> FetchSecrets(std::shared_ptr<GrpcCall> call);
  Task<absl::Status> FetchJwtSvid(std::shared_ptr<GrpcCall> call);
  Task<absl::Status> ValidateJwtSvid(std::shared_ptr<GrpcCall> call);

  absl::StatusOr<Message> SvidState(const SpiffeId &id);
  absl::StatusOr<Message> X509BundlesState(const SpiffeId &id);
  absl::StatusOr<Message> JwtBundlesState(const SpiffeId &id);

  WorkloadApiState *const state_;
  // Shared with the thread that identifies the process.
  const std::shared_ptr<const PeerProcess> process_;
  const Executor executor_;
  bool identifying_ = false;
  LoopSignal identified_;
  absl::StatusOr<SpiffeId> identity_;
  std::optional<ProcessFacts> facts_;
  std::set<GrpcCall *> streams_;
};

}  // namespace kith
