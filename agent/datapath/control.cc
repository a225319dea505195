// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/control.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace kith {
namespace {

size_t MappingSize() {
  return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

absl::StatusOr<Control> Control::Map(int fd) {
  void *mapped =
      mmap(nullptr, MappingSize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "mmap of the control map");
  }
  return Control(static_cast<datapath_control *>(mapped));
}

Control::Control(Control &&other) noexcept
    : mapped_(std::exchange(other.mapped_, nullptr)) {}

Control &Control::operator=(Control &&other) noexcept {
  std::swap(mapped_, other.mapped_);
  return *this;
}

Control::~Control() {
  if (mapped_ != nullptr) {
    (void)munmap(mapped_, MappingSize());
  }
}

void Control::SetPolicyGeneration(uint64_t generation) {
  // __u64 is another type than uint64_t: the reference needs the former.
  std::atomic_ref<__u64>(mapped_->policy_generation).store(generation);
}

void Control::SetAgent(uint32_t tgid, uint64_t start_time_ns) {
  // In this order no other process of that pid is ever exempt.
  std::atomic_ref<__u32>(mapped_->agent_tgid).store(0);
  std::atomic_ref<__u64>(mapped_->agent_start_time_ns).store(start_time_ns);
  std::atomic_ref<__u32>(mapped_->agent_tgid).store(tgid);
}

bool Control::TakeListenersLost() {
  return std::atomic_ref<__u32>(mapped_->listeners_lost).exchange(0) != 0;
}

void Control::SetListenersLost() {
  std::atomic_ref<__u32>(mapped_->listeners_lost).store(1);
}

uint64_t Control::RequestPassListener(uint64_t cookie) {
  return std::atomic_ref<__u64>(mapped_->pass_listener).exchange(cookie);
}

void Control::RequestOwner(const listener_key &key) {
  mapped_->resolve.local.port = 0;
  std::atomic_thread_fence(std::memory_order_release);
  listener_key incomplete = key;
  incomplete.local.port = 0;
  mapped_->resolve = incomplete;
  std::atomic_ref<__u16>(mapped_->resolve.local.port).store(key.local.port);
}

}  // namespace kith
