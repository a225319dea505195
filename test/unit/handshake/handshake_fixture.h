// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include <asio/co_spawn.hpp>
#include <catch2/catch_test_macros.hpp>

#include "agent/handshake/handshake.h"
#include "agent/runtime/event_loop.h"
#include "agent/runtime/file_descriptor.h"
#include "test/fakes/svid_forge.h"

namespace kith {

// More than any step takes, sanitizers and a busy machine included.
inline constexpr std::chrono::seconds kPatience{30};

// ConnectedPair returns the two ends of a loopback TCP connection, blocking,
// with kPatience as the bound of every read and write.
std::pair<FileDescriptor, FileDescriptor> ConnectedPair();

// TestTrust is an authority with SVIDs of its domain.
class TestTrust {
 public:
  explicit TestTrust(const std::string &trust_domain = "example.org");

  std::shared_ptr<const X509Svid> MakeSvid(
      const std::string &path, ForgeryKind kind = ForgeryKind::kValid) const;
  std::shared_ptr<const TrustBundle> bundle() const { return bundle_; }
  const SvidForge &forge() const { return forge_; }
  const std::string &domain() const { return domain_; }

  // Request has an SVID for `path` and lets every peer pass.
  HandshakeRequest Request(TlsRole role, const std::string &path) const;

 private:
  std::string domain_;
  SvidForge forge_;
  std::shared_ptr<const TrustBundle> bundle_;
};

// Adopt makes a socket of a descriptor; call on the loop.
TcpSocket Adopt(asio::io_context &loop, FileDescriptor fd);

// HandshakeOn adopts `fd` and runs the handshake.
Task<HandshakeOutcome> HandshakeOn(asio::io_context &loop,
                                   FileDescriptor fd,
                                   HandshakeRequest request);

template <typename T>
std::future<T> Spawn(asio::io_context &loop, Task<T> task) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  asio::co_spawn(loop.get_executor(),
                 std::move(task),
                 [promise](const std::exception_ptr &failed, T value) {
                   if (failed) {
                     promise->set_exception(failed);
                   } else {
                     promise->set_value(std::move(value));
                   }
                 });
  return future;
}

// Await fails the test where the future is not ready within kPatience.
template <typename T>
T Await(std::future<T> &future) {
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  return future.get();
}

}  // namespace kith
