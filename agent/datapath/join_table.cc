// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/join_table.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/datapath/iterators.h"
#include "agent/datapath/libbpf_log.h"
#include "join.skel.h"
#include "kith/endpoint.h"

namespace kith {
namespace {

// The slot of a direction, in a flow's pair.
uint32_t SlotOf(uint32_t pair, FlowJoin::Sender sender) {
  return sender == FlowJoin::Sender::kClient ? pair : pair + 1;
}

template <typename Ask>
absl::StatusOr<flow_endpoint> Name(int fd, Ask ask, const char *what) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (ask(fd, reinterpret_cast<sockaddr *>(&address), &length) != 0) {
    return absl::ErrnoToStatus(errno, what);
  }
  auto endpoint = Endpoint::FromSockaddr(address);
  if (!endpoint.ok()) {
    return endpoint.status();
  }
  return endpoint->ToAbi();
}

// RunHook runs a hook once, with `request` as its packet.
absl::StatusOr<join_answer> RunHook(const bpf_program *program,
                                    const join_request &request) {
  LIBBPF_OPTS(bpf_test_run_opts, run);
  run.data_in = &request;
  run.data_size_in = sizeof(request);
  run.repeat = 1;
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &run) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("running ", bpf_program__name(program)));
  }
  return static_cast<join_answer>(run.retval);
}

absl::Status ToStatus(join_answer answer) {
  switch (answer) {
    case JOIN_ENTERED:
      return absl::OkStatus();
    case JOIN_NO_SOCKET:
      return absl::NotFoundError("the application's socket is gone");
    case JOIN_BLOCKING:
      return absl::FailedPreconditionError("the application's socket blocks");
    case JOIN_ZEROCOPY:
      return absl::FailedPreconditionError(
          "the application's socket has SO_ZEROCOPY");
    case JOIN_REFUSED:
      return absl::UnavailableError(
          "the kernel refused the application's socket");
    case JOIN_BAD_REQUEST:
      break;
  }
  return absl::InternalError("the join hook did not understand its request");
}

// However the machine is configured, only the send buffer limits the queue, as
// the hooks suppose.
void LiftUnsentLimit(int fd) {
  const int most = INT_MAX;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
}

}  // namespace

// The agent's sockets outlive it: both are members of the relay that it serves.
class JoinTable::Join : public FlowJoin {
 public:
  Join(std::shared_ptr<JoinTable> table, uint32_t pair, RunIn run_in)
      : table_(std::move(table)), pair_(pair), run_in_(std::move(run_in)) {}
  ~Join() override { table_->Remove(pair_); }
  Join(const Join &) = delete;
  Join &operator=(const Join &) = delete;

  absl::Status Name(uint64_t netns_cookie, int client_side, int server_side);

  void SetDelivered(Sender sender, uint64_t bytes) override {
    std::atomic_ref<__u64>(Slot(sender).delivered)
        .store(bytes, std::memory_order_release);
  }
  absl::Status Enter(Sender sender) override;
  void Leave(Sender sender) override {
    const uint32_t slot = SlotOf(pair_, sender);
    (void)bpf_map_delete_elem(bpf_map__fd(table_->skeleton_->maps.join_senders),
                              &slot);
  }
  bool BlocksNow(Sender sender) const override {
    return std::atomic_ref<__u32>(Slot(sender).sender_blocks).load() != 0;
  }
  uint64_t Redirected(Sender sender) const override {
    return std::atomic_ref<__u64>(Slot(sender).redirected).load();
  }

 private:
  join_slot &Slot(Sender sender) const {
    return table_->slots_->at(SlotOf(pair_, sender));
  }

  const std::shared_ptr<JoinTable> table_;
  const uint32_t pair_;
  const RunIn run_in_;
  uint64_t netns_cookie_ = 0;
  join_request requests_[2]{};  // by sender
};

absl::Status JoinTable::Join::Name(uint64_t netns_cookie,
                                   int client_side,
                                   int server_side) {
  netns_cookie_ = netns_cookie;
  for (Sender sender : {Sender::kClient, Sender::kServer}) {
    const int fd = sender == Sender::kClient ? client_side : server_side;
    auto local = kith::Name(fd, getpeername, "getpeername");
    auto remote = kith::Name(fd, getsockname, "getsockname");
    if (!local.ok() || !remote.ok()) {
      return local.ok() ? remote.status() : local.status();
    }
    join_request &request = requests_[static_cast<size_t>(sender)];
    request.local = *local;
    request.remote = *remote;
    request.generation = Slot(sender).generation;
    request.slot = SlotOf(pair_, sender);
  }
  return absl::OkStatus();
}

absl::Status JoinTable::Join::Enter(Sender sender) {
  absl::StatusOr<join_answer> answer = JOIN_BAD_REQUEST;
  absl::Status visited = run_in_(netns_cookie_, [&] {
    answer = table_->Search(requests_[static_cast<size_t>(sender)]);
  });
  if (!visited.ok()) {
    return visited;
  }
  return answer.ok() ? ToStatus(*answer) : answer.status();
}

JoinTable::~JoinTable() {
  slots_.reset();
  join_bpf__destroy(skeleton_);
}

absl::StatusOr<std::shared_ptr<JoinTable>> JoinTable::Load() {
  CaptureLibbpfLog();
  std::shared_ptr<JoinTable> table(new JoinTable());
  table->skeleton_ = join_bpf__open_and_load();
  if (table->skeleton_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the kernel refused the join hooks: ",
                     std::strerror(errno),
                     " (",
                     TakeLibbpfWarnings(),
                     ")"));
  }
  const join_bpf &skeleton = *table->skeleton_;
  if (bpf_prog_attach(bpf_program__fd(skeleton.progs.kith_join_send),
                      bpf_map__fd(skeleton.maps.join_senders),
                      BPF_SK_MSG_VERDICT,
                      0) != 0) {
    return absl::ErrnoToStatus(errno, "attaching kith_join_send");
  }
  auto slots = JoinSlots::Map(bpf_map__fd(skeleton.maps.join_slots),
                              bpf_map__max_entries(skeleton.maps.join_slots));
  if (!slots.ok()) {
    return slots.status();
  }
  table->slots_ = *std::move(slots);
  return table;
}

absl::Status JoinTable::Guard(int cgroup_fd) {
  guard_.Reset(
      bpf_link_create(bpf_program__fd(skeleton_->progs.kith_join_option),
                      cgroup_fd,
                      BPF_CGROUP_SETSOCKOPT,
                      nullptr));
  if (!guard_.valid()) {
    return absl::ErrnoToStatus(errno, "attaching kith_join_option");
  }
  return absl::OkStatus();
}

absl::Status JoinTable::Aim(uint32_t pair,
                            SockmapFd client_side,
                            SockmapFd server_side) {
  const int targets = bpf_map__fd(skeleton_->maps.join_targets);
  for (const auto &[slot, fd] : {std::pair(pair, server_side.get()),
                                 std::pair(pair + 1, client_side.get())}) {
    LiftUnsentLimit(fd);
    const uint64_t value = static_cast<uint64_t>(fd);
    if (bpf_map_update_elem(targets, &slot, &value, BPF_ANY) != 0) {
      return absl::ErrnoToStatus(errno, "entering a socket of the agent");
    }
  }
  join_request request{};
  request.slot = pair;
  auto answer = RunHook(skeleton_->progs.kith_join_begin, request);
  return answer.ok() ? ToStatus(*answer) : answer.status();
}

absl::StatusOr<join_answer> JoinTable::Search(const join_request &request) {
  const absl::MutexLock lock(&searching_);
  const int map = bpf_map__fd(skeleton_->maps.join_search);
  const uint32_t only = 0;
  join_search search{.request = request, .answer = JOIN_NO_SOCKET};
  if (bpf_map_update_elem(map, &only, &search, BPF_ANY) != 0) {
    return absl::ErrnoToStatus(errno, "asking kith_join_enter");
  }
  absl::Status run =
      IterateSockets(bpf_program__fd(skeleton_->progs.kith_join_enter));
  if (!run.ok()) {
    return run;
  }
  if (bpf_map_lookup_elem(map, &only, &search) != 0) {
    return absl::ErrnoToStatus(errno, "hearing kith_join_enter");
  }
  return static_cast<join_answer>(search.answer);
}

// Senders first: a sender without a target passes its bytes to the agent.
void JoinTable::Remove(uint32_t pair) {
  for (const bpf_map *map :
       {skeleton_->maps.join_senders, skeleton_->maps.join_targets}) {
    for (uint32_t slot : {pair, pair + 1}) {
      (void)bpf_map_delete_elem(bpf_map__fd(map), &slot);
    }
  }
  slots_->Give(pair);
}

absl::StatusOr<std::unique_ptr<FlowJoin>> JoinTable::Open(uint64_t netns_cookie,
                                                          SockmapFd client_side,
                                                          SockmapFd server_side,
                                                          RunIn run_in) {
  const auto pair = slots_->Take();
  if (!pair.has_value()) {
    return absl::ResourceExhaustedError("all joins are in use");
  }
  auto join =
      std::make_unique<Join>(shared_from_this(), *pair, std::move(run_in));
  absl::Status opened =
      join->Name(netns_cookie, client_side.get(), server_side.get());
  if (opened.ok()) {
    opened = Aim(*pair, client_side, server_side);
  }
  if (!opened.ok()) {
    return opened;
  }
  return join;
}

}  // namespace kith
