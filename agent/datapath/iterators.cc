// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/iterators.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agent/runtime/file_descriptor.h"

namespace kith {
namespace {

// The kernel's own buffer of an iterator is 8 pages.
constexpr size_t kReadSize = 32 * 1024;

FileDescriptor OpenLink(int program_fd, std::optional<uint32_t> tgid) {
  if (!tgid.has_value()) {
    return FileDescriptor(
        bpf_link_create(program_fd, 0, BPF_TRACE_ITER, nullptr));
  }
  bpf_iter_link_info info{};
  info.task.pid = *tgid;
  LIBBPF_OPTS(bpf_link_create_opts, options);
  options.iter_info = &info;
  options.iter_info_len = sizeof(info);
  return FileDescriptor(
      bpf_link_create(program_fd, 0, BPF_TRACE_ITER, &options));
}

absl::StatusOr<std::vector<char>> ReadAll(int fd) {
  std::vector<char> bytes;
  size_t size = 0;
  for (;;) {
    bytes.resize(size + kReadSize);
    const ssize_t got = read(fd, bytes.data() + size, kReadSize);
    if (got == 0) {
      bytes.resize(size);
      return bytes;
    }
    if (got > 0) {
      size += static_cast<size_t>(got);
    } else if (errno != EAGAIN && errno != EINTR) {
      // EAGAIN: the kernel interrupts a run after a million skipped tasks.
      return absl::ErrnoToStatus(errno, "reading a BPF iterator");
    }
  }
}

template <typename Record>
absl::StatusOr<std::vector<Record>> Run(int program_fd,
                                        std::optional<uint32_t> tgid) {
  FileDescriptor link = OpenLink(program_fd, tgid);
  if (!link.valid() && errno == ESRCH) {
    return std::vector<Record>();  // gone
  }
  if (!link.valid() && tgid.has_value()) {
    link = OpenLink(program_fd, std::nullopt);
  }
  if (!link.valid()) {
    return absl::ErrnoToStatus(errno, "attaching a BPF iterator");
  }
  FileDescriptor iterator(bpf_iter_create(link.get()));
  if (!iterator.valid()) {
    return absl::ErrnoToStatus(errno, "opening a BPF iterator");
  }
  auto bytes = ReadAll(iterator.get());
  if (!bytes.ok()) {
    return bytes.status();
  }
  std::vector<Record> records(bytes->size() / sizeof(Record));
  if (!records.empty()) {  // memcpy takes no null, not even of no bytes
    std::memcpy(records.data(), bytes->data(), records.size() * sizeof(Record));
  }
  return records;
}

}  // namespace

absl::StatusOr<std::vector<live_process>> IterateProcesses(
    int program_fd, std::optional<uint32_t> tgid) {
  return Run<live_process>(program_fd, tgid);
}

absl::StatusOr<std::vector<live_listener>> IterateListeners(
    int program_fd, std::optional<uint32_t> tgid) {
  return Run<live_listener>(program_fd, tgid);
}

absl::Status IterateSockets(int program_fd) {
  return Run<char>(program_fd, std::nullopt).status();
}

}  // namespace kith
