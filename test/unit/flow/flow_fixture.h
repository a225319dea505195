// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <memory>
#include <string>

#include "agent/runtime/event_loop.h"
#include "agent/runtime/file_descriptor.h"
#include "kith/resource.h"
#include "test/fakes/fake_flow_context.h"
#include "test/unit/handshake/handshake_fixture.h"

namespace kith {

// LocalListener is a real server on loopback: a destination, or an application.
class LocalListener {
 public:
  LocalListener();
  const Endpoint &endpoint() const { return endpoint_; }
  // Accept waits for the next connection; blocking, with kPatience as its
  // bound.
  FileDescriptor Accept();
  // HasConnection returns whether anybody has connected, without waiting.
  bool HasConnection() const;
  void Close() { fd_.Reset(); }

 private:
  FileDescriptor fd_;
  Endpoint endpoint_;
};

// FlowsUnderTest runs flows of one agent that consists of fakes, on a loop.
class FlowsUnderTest {
 public:
  FlowsUnderTest() { loops_.Start(); }
  ~FlowsUnderTest() { loops_.Stop(); }

  FakeFlowContext fakes;

  // Outbound serves an inner connection to `destination`, and returns the
  // application's end.
  FileDescriptor Outbound(const Endpoint &destination);
  // OutboundUnknown serves one that no hook saw.
  FileDescriptor OutboundUnknown();
  // Inbound serves a connection, and returns the client's end.
  FileDescriptor Inbound();
  void ServeInboundOn(FileDescriptor outer);

  // Last waits for the end of all flows, and returns the newest one.
  FlowRecord Last();
  // OpenOne waits until one flow is open, and returns it.
  FlowRecord OpenOne();

  // Freeze ends the loop with all flows as they are.
  void Freeze() { loops_.Stop(); }

  asio::io_context &loop() { return loops_.at(0); }

 private:
  void Run(Task<void> task);

  EventLoops loops_{1};
  std::vector<std::future<void>> running_;
};

// IdentityOf returns an identity of example.org that is `mode` in both
// directions.
std::shared_ptr<WorkloadIdentity> IdentityOf(const std::string &path,
                                             TlsMode mode);

// Holds gives the agent an SVID of the identity, and trust in the domain.
void Holds(FakeFlowContext &fakes,
           const TestTrust &trust,
           const std::string &path);

// TextOf reads `length` bytes; ReadToEnd what there is before the end or the
// reset.
std::string TextOf(int fd, size_t length);
std::string ReadToEnd(int fd);
bool IsReset(int fd);
void Write(int fd, const std::string &text);

}  // namespace kith
