// SPDX-License-Identifier: Apache-2.0
#include "agent/checkpoint/journal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

// Replaces the first slot.
struct Header {
  char magic[8] = {'k', 'i', 't', 'h', 'k', 'e', 'p', 't'};
  uint32_t version = 2;  // of Slot, CheckpointPosition, and the description
  uint32_t slots = Journal::kSlots;
  uint32_t slot_bytes = Journal::kSlotBytes;
  uint32_t position_bytes = sizeof(CheckpointPosition);
};

constexpr size_t kBytes = (Journal::kSlots + 1) * Journal::kSlotBytes;

// A mapping of a file that shrinks could cause SIGBUS.
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;

static_assert(std::atomic<uint32_t>::is_always_lock_free);
static_assert(sizeof(Journal::Slot) < Journal::kSlotBytes / 8);

}  // namespace

absl::StatusOr<SharedMemory> SharedMemory::Map(int fd, size_t size) {
  void *data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, "mmap of kept memory");
  }
  (void)madvise(data, size, MADV_DONTFORK);
  return SharedMemory(static_cast<uint8_t *>(data), size);
}

SharedMemory::SharedMemory(SharedMemory &&other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) {
    (void)munmap(data_, size_);
  }
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Create() {
  FileDescriptor fd(
      memfd_create("kith-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid() || ftruncate(fd.get(), kBytes) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) {
    return absl::ErrnoToStatus(errno, "memfd of kept flows");
  }
  auto memory = SharedMemory::Map(fd.get(), kBytes);
  if (!memory.ok()) {
    return memory.status();
  }
  const Header header;
  std::memcpy(memory->data(), &header, sizeof(header));
  return std::unique_ptr<Journal>(
      new Journal(std::move(fd), *std::move(memory)));
}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(FileDescriptor fd) {
  struct stat status {};
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  if (fstat(fd.get(), &status) != 0 || seals < 0 ||
      (seals & kSeals) != kSeals ||
      status.st_size != static_cast<off_t>(kBytes)) {
    return absl::InvalidArgumentError("no journal of kept flows");
  }
  auto memory = SharedMemory::Map(fd.get(), kBytes);
  if (!memory.ok()) {
    return memory.status();
  }
  const Header header;
  if (std::memcmp(memory->data(), &header, sizeof(header)) != 0) {
    return absl::InvalidArgumentError(
        "the journal of kept flows is another version's");
  }
  return std::unique_ptr<Journal>(
      new Journal(std::move(fd), *std::move(memory)));
}

Journal::Slot &Journal::slot(size_t index) const {
  return *reinterpret_cast<Slot *>(memory_.data() + (index + 1) * kSlotBytes);
}

void Journal::Fill(size_t index,
                   std::string_view description,
                   uint64_t inner_cookie,
                   uint64_t outer_cookie) {
  Slot &to = slot(index);
  to.length = static_cast<uint32_t>(description.size());
  to.inner_cookie = inner_cookie;
  to.outer_cookie = outer_cookie;
  std::memcpy(reinterpret_cast<uint8_t *>(&to) + sizeof(Slot),
              description.data(),
              description.size());
  to.taken.store(1, std::memory_order_release);
}

absl::StatusOr<std::string_view> Journal::Description(size_t index) const {
  const Slot &from = slot(index);
  const uint32_t length = from.length;
  if (from.taken.load(std::memory_order_acquire) != 1 ||
      length > kMaxDescription) {
    return absl::InvalidArgumentError(
        absl::StrCat("slot ", index, " of the journal has no flow"));
  }
  return std::string_view(reinterpret_cast<const char *>(&from + 1), length);
}

void Journal::Free(size_t index) {
  slot(index).taken.store(0, std::memory_order_release);
}

}  // namespace kith
