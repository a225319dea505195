// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "agent/flowtable/flow_table.h"
#include "agent/relay/relay.h"
#include "test/unit/handshake/handshake_fixture.h"

namespace kith {

// KernelPathIsTested says whether outer sockets shall be armed: KITH_TEST_PATH
// is "ktls". The tests are the same for each path.
bool KernelPathIsTested();
// KernelRekeys says whether the kernel can change a key.
bool KernelRekeys();

// RelayUnderTest is one relay on a loop of its own: the handshake, then the
// relay, as the agent runs them. The test holds the other ends.
class RelayUnderTest {
 public:
  // WithTls makes a relay whose outer socket is `outer`, in `request`'s role.
  static std::unique_ptr<RelayUnderTest> WithTls(FileDescriptor outer,
                                                 HandshakeRequest request);
  static std::unique_ptr<RelayUnderTest> Plain(FileDescriptor outer);
  ~RelayUnderTest();
  RelayUnderTest(const RelayUnderTest &) = delete;
  RelayUnderTest &operator=(const RelayUnderTest &) = delete;

  // application returns the application's end of the inner connection.
  int application() const { return application_.get(); }
  void CloseApplication() { application_.Reset(); }

  // End waits for the relay's end, or its failed handshake.
  RelayEnd End();
  bool HasEnded() const;
  void Abort(CloseReason reason);
  // HotRestart makes the relay pass to another object as between two
  // processes; returns when it is on its way there.
  void HotRestart();
  FlowCounters &counters() { return flow_->counters(); }

 private:
  RelayUnderTest();
  Task<RelayEnd> RunTls(FileDescriptor inner,
                        FileDescriptor outer,
                        HandshakeRequest request);
  Task<RelayEnd> RunPlain(FileDescriptor inner, FileDescriptor outer);
  Task<RelayEnd> RunRelay();

  std::unique_ptr<TraceHub> trace_;
  std::unique_ptr<FlowTable> table_;
  std::shared_ptr<LiveFlow> flow_;
  EventLoops loops_{1};
  std::unique_ptr<Relay> relay_;  // touched on the loop only
  FileDescriptor application_;
  std::future<RelayEnd> end_;
};

// Chain is what two agents make of a connection: the client's relay and the
// server's, joined by TLS or, plain, by one relay alone.
struct Chain {
  explicit Chain(bool tls);

  TestTrust trust;
  std::unique_ptr<RelayUnderTest> outbound;
  std::unique_ptr<RelayUnderTest> inbound;  // null: plain
  FileDescriptor plain_server;
  int client() const { return outbound->application(); }
  int server() const {
    return inbound != nullptr ? inbound->application() : plain_server.get();
  }
  void CloseServer();
};

// Blocking steps of an application, for any thread; they throw on any error.
void Expect(bool ok, const char *what);
void Send(int fd, std::string_view bytes);
std::string Receive(int fd, size_t length);
// ReceiveAll reads to the end of the stream.
std::string ReceiveAll(int fd);
void ShutdownWrite(int fd);
// ResetOnClose makes the next close send RST.
void ResetOnClose(int fd);
// AwaitReset reads until the connection is reset; fails on an orderly end.
void AwaitReset(int fd);
// AwaitError is for a stream whose end was read before: read shows no reset
// then, only write and poll do.
void AwaitError(int fd);
// FillUp writes until no more is taken for a while; returns the bytes written.
size_t FillUp(int fd);

// Pattern is `length` bytes that differ from place to place.
std::string Pattern(size_t length, uint32_t seed);

}  // namespace kith
