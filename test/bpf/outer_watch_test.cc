// SPDX-License-Identifier: Apache-2.0
// What leaves a watched socket: TLS records, whole, cut and lost; nothing else.
#include <sys/socket.h>

#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "test/bpf/rig/agent.h"
#include "test/bpf/rig/outer.h"

namespace kith {
namespace {

constexpr uint64_t kFlow = 9'007'199'254'740'993;  // above 2^53

struct Watched {
  explicit Watched(int family = AF_INET)
      : connection(ConnectIn(netns, family)) {
    REQUIRE(agent->outer_watch().ok());
    REQUIRE(agent->WatchOuter(connection.outer.get(), kFlow).ok());
  }

  // Sends while the peer reads, so that nothing but the kernel cuts segments.
  bool DirectGrants(std::string_view bytes) {
    std::string got;
    std::thread reader([&] { got = Receive(connection.peer, bytes.size()); });
    const bool sent = Send(connection.outer, bytes);
    reader.join();
    return sent && got == bytes;
  }

  bool IsClean() {
    return agent.Counter("outer_not_tls") == 0 &&
           agent.Counter("outer_unchecked") == 0;
  }

  // The bytes never arrive, and the agent is told once.
  void RequireStopped(std::string_view bytes) {
    REQUIRE(Send(connection.outer, bytes));
    CHECK(agent.WaitUntilNotTls(kFlow));
    CHECK(agent.Counter("outer_not_tls") == 1);
    Reset(connection.outer);
    CHECK(Drain(connection.peer).empty());
  }

  TestCgroup own;
  InCgroup in_own{own};
  TestCgroup managed;
  TestNetns netns;
  TestAgent agent{managed};
  Connection connection;
};

std::string BulkOfRecords(size_t bytes) {
  std::string bulk;
  for (size_t i = 0; bulk.size() < bytes; ++i) {
    bulk += Sealed(17 + i * 7919 % (16'640 - 16));
  }
  return bulk;
}

TEST_CASE("records of every length leave in segments of every length") {
  Watched watched(GENERATE(AF_INET, AF_INET6));
  CHECK(watched.DirectGrants(Opening() + BulkOfRecords(16 << 20)));
  CHECK(watched.IsClean());
}

TEST_CASE("a segment may have thousands of records") {
  Watched watched;
  std::string smallest = Opening();
  for (int i = 0; i < 100'000; ++i) {
    smallest += Sealed(17);
  }
  CHECK(watched.DirectGrants(smallest));
  CHECK(watched.IsClean());
}

TEST_CASE("records may leave byte by byte") {
  Watched watched;
  for (const char byte : Opening() + Sealed(17) + Sealed(1000)) {
    REQUIRE(Send(watched.connection.outer, {&byte, 1}));
    REQUIRE(Receive(watched.connection.peer, 1) == std::string(1, byte));
  }
  CHECK(watched.IsClean());
}

TEST_CASE("a header may be cut anywhere") {
  Watched watched;
  const size_t cut = GENERATE(1, 2, 3, 4);
  const std::string record = Sealed(300);
  REQUIRE(watched.DirectGrants(Opening()));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(watched.DirectGrants(record.substr(0, cut)));
    REQUIRE(watched.DirectGrants(record.substr(cut) + Sealed(40)));
  }
  CHECK(watched.IsClean());
}

TEST_CASE("lost segments are sent again and pass") {
  Watched watched;
  REQUIRE(watched.DirectGrants(Opening()));
  const PacketLoss loss(watched.own);
  // How many packets that is, TCP decides; the chance that none of them is lost
  // in all rounds is nil.
  for (int round = 0; round < 50; ++round) {
    REQUIRE(watched.DirectGrants(BulkOfRecords(1 << 20)));
    if (Retransmitted(watched.connection.outer) >= 5) {
      break;
    }
  }
  CHECK(Retransmitted(watched.connection.outer) >= 5);
  CHECK(watched.IsClean());
}

TEST_CASE("plaintext at the start never leaves") {
  Watched watched(GENERATE(AF_INET, AF_INET6));
  watched.RequireStopped("GET / HTTP/1.1\r\nAuthorization: secret\r\n\r\n");
}

TEST_CASE("plaintext after records never leaves") {
  Watched watched(GENERATE(AF_INET, AF_INET6));
  REQUIRE(watched.DirectGrants(Opening() + BulkOfRecords(1 << 20)));
  watched.RequireStopped("secret");
}

TEST_CASE("plaintext behind a record in the same segment never leaves") {
  Watched watched;
  REQUIRE(watched.DirectGrants(Opening()));
  watched.RequireStopped(Sealed(100) + "secret");
}

TEST_CASE("one byte that begins no record is enough") {
  Watched watched;
  REQUIRE(watched.DirectGrants(Opening()));
  watched.RequireStopped("s");
}

TEST_CASE("a header that is wrong in one field is none") {
  Watched watched;
  REQUIRE(watched.DirectGrants(Opening()));
  watched.RequireStopped(GENERATE(Record(19, 0x0303, 100),
                                  Record(24, 0x0303, 100),
                                  Record(22, 0x0303, 100),  // in the clear
                                  Record(23, 0x0203, 100),
                                  Record(23, 0x0301, 100),
                                  Record(23, 0x0304, 100),
                                  Record(23, 0x0303, 16),
                                  Record(23, 0x0303, 16'641)));
}

TEST_CASE("nothing follows what was stopped, except what was sent before") {
  Watched watched;
  REQUIRE(watched.DirectGrants(Opening()));
  REQUIRE(Send(watched.connection.outer, "secret"));
  REQUIRE(watched.agent.WaitUntilNotTls(kFlow));
  watched.RequireStopped(Sealed(100));
}

TEST_CASE("sockets that are not watched send what they like") {
  Watched watched;
  const Connection other = ConnectIn(watched.netns, AF_INET);
  REQUIRE(Send(other.outer, "plaintext"));
  CHECK(Receive(other.peer, 9) == "plaintext");
  REQUIRE(Send(watched.connection.peer, "plaintext"));
  CHECK(Receive(watched.connection.outer, 9) == "plaintext");
  CHECK(watched.IsClean());
}

}  // namespace
}  // namespace kith
