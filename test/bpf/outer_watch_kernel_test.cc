// SPDX-License-Identifier: Apache-2.0
// Where the watch cannot be, and how far it sees on kernels without bpf_loop().
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "abi/outer.h"
#include "agent/datapath/counters.h"
#include "agent/datapath/datapath.h"
#include "agent/datapath/features.h"
#include "egress.skel.h"
#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/outer.h"

namespace kith {
namespace {

TEST_CASE("an agent in the root cgroup watches nothing and says so") {
  auto root = FindCgroupRoot();
  REQUIRE(root.ok());
  const InCgroup in_root(*root);
  const TestCgroup managed;
  const TestNetns netns;
  TestAgent agent(managed);
  CHECK(absl::IsFailedPrecondition(agent->outer_watch()));
  const Connection connection = ConnectIn(netns, AF_INET);
  CHECK(agent->WatchOuter(connection.outer.get(), 1).ok());
  REQUIRE(Send(connection.outer, "plaintext"));
  CHECK(Receive(connection.peer, 9) == "plaintext");
}

// KernelTypes is a copy of this kernel's type information in which the function
// bpf_loop has another name: what libbpf finds on Linux 5.15 and 5.16.
class KernelTypes {
 public:
  KernelTypes() {
    std::ifstream file("/sys/kernel/btf/vmlinux", std::ios::binary);
    std::string types(std::istreambuf_iterator<char>(file), {});
    const std::string name("\0BPF_FUNC_loop\0", 15);
    const size_t at = types.find(name);
    if (at != std::string::npos) {
      types[at + 10] = 'X';
    }
    REQUIRE(types.find(name) == std::string::npos);
    const int fd = mkstemp(path_);
    REQUIRE(fd >= 0);
    close(fd);
    std::ofstream(path_, std::ios::binary) << types;
  }
  ~KernelTypes() { unlink(path_); }
  KernelTypes(const KernelTypes &) = delete;
  KernelTypes &operator=(const KernelTypes &) = delete;

  const char *path() const { return path_; }

 private:
  char path_[32] = "/tmp/kith-test-btf-XXXXXX";
};

// OldWatch is the hook as such a kernel has it, with maps of its own.
class OldWatch {
 public:
  explicit OldWatch(const TestCgroup &cgroup) {
    const KernelTypes types;
    LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = types.path());
    skeleton_ = egress_bpf__open_opts(&options);
    REQUIRE(skeleton_ != nullptr);
    REQUIRE(egress_bpf__load(skeleton_) == 0);
    const FileDescriptor directory(
        open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    link_.Reset(bpf_link_create(bpf_program__fd(skeleton_->progs.kith_egress),
                                directory.get(),
                                BPF_CGROUP_INET_EGRESS,
                                nullptr));
    REQUIRE(link_.valid());
  }
  ~OldWatch() { egress_bpf__destroy(skeleton_); }
  OldWatch(const OldWatch &) = delete;
  OldWatch &operator=(const OldWatch &) = delete;

  void Watch(const FileDescriptor &socket) {
    const int fd = socket.get();
    const outer_watch watch{};
    REQUIRE(bpf_map_update_elem(bpf_map__fd(skeleton_->maps.outer_watch),
                                &fd,
                                &watch,
                                BPF_NOEXIST) == 0);
  }

  uint64_t Counter(const std::string &name) {
    for (const auto &counter :
         ReadCounters(bpf_map__fd(skeleton_->maps.counters))) {
      if (counter.name == name) {
        return counter.value;
      }
    }
    FAIL("no counter " << name);
    return 0;
  }

 private:
  egress_bpf *skeleton_ = nullptr;
  FileDescriptor link_;
};

struct OldKernel {
  TestCgroup own;
  InCgroup in_own{own};
  TestNetns netns;
  OldWatch watch{own};
  Connection connection = ConnectIn(netns, AF_INET);

  std::string Pass(const std::string &bytes) {
    std::string got;
    std::thread reader([&] { got = Receive(connection.peer, bytes.size()); });
    REQUIRE(Send(connection.outer, bytes));
    reader.join();
    return got;
  }
};

TEST_CASE("without bpf_loop() ordinary records are followed") {
  OldKernel old;
  old.watch.Watch(old.connection.outer);
  std::string records = Opening();
  for (size_t i = 0; i < 5'000; ++i) {
    records += Sealed(512 + i % 1000);
  }
  CHECK(old.Pass(records) == records);
  CHECK(old.watch.Counter("outer_unchecked") == 0);
  REQUIRE(Send(old.connection.outer, "secret"));
  CHECK(old.watch.Counter("outer_not_tls") == 1);
  Reset(old.connection.outer);
  CHECK(Drain(old.connection.peer).empty());
}

TEST_CASE("without bpf_loop() too many records in a segment are told") {
  OldKernel old;
  old.watch.Watch(old.connection.outer);
  std::string records = Opening();
  for (int i = 0; i < 50'000; ++i) {
    records += Sealed(17);
  }
  CHECK(old.Pass(records) == records);
  CHECK(old.watch.Counter("outer_unchecked") == 1);
  CHECK(old.watch.Counter("outer_not_tls") == 0);
}

}  // namespace
}  // namespace kith
