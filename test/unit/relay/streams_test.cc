// SPDX-License-Identifier: Apache-2.0
// What passes through: byte-exact streams, small and large, and back-pressure.
#include <sys/resource.h>

#include <array>
#include <fstream>

#include <catch2/generators/catch_generators.hpp>
#include <openssl/sha.h>

#include "agent/relay/buffer_pool.h"
#include "test/unit/relay/relay_fixture.h"

namespace kith {
namespace {

using Digest = std::array<uint8_t, SHA256_DIGEST_LENGTH>;

// SendStream writes `total` bytes in pieces of changing size.
Digest SendStream(int fd, size_t total) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  const std::string pattern = Pattern(size_t{1} << 20, 7);
  size_t length = 1;
  for (size_t sent = 0; sent < total;) {
    length = (length * 7 + 13) % pattern.size() + 1;
    std::string_view piece =
        std::string_view(pattern).substr(0, std::min(length, total - sent));
    Send(fd, piece);
    SHA256_Update(&hash, piece.data(), piece.size());
    sent += piece.size();
  }
  ShutdownWrite(fd);
  Digest digest;
  SHA256_Final(digest.data(), &hash);
  return digest;
}

Digest ReceiveStream(int fd, size_t total) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  std::string buffer(size_t{1} << 18, '\0');
  size_t received = 0;
  ssize_t count = 0;
  while ((count = recv(fd, buffer.data(), buffer.size(), 0)) > 0) {
    SHA256_Update(&hash, buffer.data(), static_cast<size_t>(count));
    received += static_cast<size_t>(count);
  }
  Expect(count == 0 && received == total, "recv of the stream");
  Digest digest;
  SHA256_Final(digest.data(), &hash);
  return digest;
}

TEST_CASE("256 MiB pass both ways at once, byte for byte") {
  constexpr size_t kTotal = size_t{256} << 20;
  Chain chain(GENERATE(true, false));
  auto send_up =
      std::async(std::launch::async, SendStream, chain.client(), kTotal);
  auto send_down =
      std::async(std::launch::async, SendStream, chain.server(), kTotal);
  auto received =
      std::async(std::launch::async, ReceiveStream, chain.client(), kTotal);
  Digest at_server = ReceiveStream(chain.server(), kTotal);
  CHECK(at_server == send_up.get());
  CHECK(received.get() == send_down.get());
  CHECK(chain.outbound->End().reason == CloseReason::kClosed);
  CHECK(chain.outbound->counters().bytes_sent == kTotal);
  CHECK(chain.outbound->counters().bytes_received == kTotal);
}

TEST_CASE("single bytes pass at once and in order") {
  Chain chain(GENERATE(true, false));
  for (int i = 0; i < 500; ++i) {
    std::string byte(1, static_cast<char>(i));
    Send(chain.client(), byte);
    REQUIRE(Receive(chain.server(), 1) == byte);
    Send(chain.server(), byte);
    REQUIRE(Receive(chain.client(), 1) == byte);
  }
  std::string many;
  for (int i = 0; i < 5000; ++i) {  // without waiting for each
    std::string byte(1, static_cast<char>(i * 7));
    Send(chain.client(), byte);
    many += byte;
  }
  ShutdownWrite(chain.client());
  CHECK(ReceiveAll(chain.server()) == many);
}

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

// What else of the process may grow meanwhile; a sanitizer keeps what was
// freed.
#ifdef KITH_SANITIZED
constexpr size_t kOfTheProcess = size_t{64} << 20;
#else
constexpr size_t kOfTheProcess = size_t{2} << 20;
#endif

TEST_CASE("a reader that stops costs its sender, not our memory") {
  Chain chain(GENERATE(true, false));
  size_t before = ResidentBytes();
  size_t taken = FillUp(chain.client());
  // Two relays hold a buffer each; the rest waits in the kernel's queues.
  CHECK(ResidentBytes() < before + 4 * BufferPool::kLarge + kOfTheProcess);
  ShutdownWrite(chain.client());
  CHECK(ReceiveAll(chain.server()).size() == taken);
}

TEST_CASE("a slow reader gets every byte") {
  Chain chain(GENERATE(true, false));
  std::string bytes = Pattern(4'000'000, 5);
  auto sent = std::async(std::launch::async, [&chain, &bytes] {
    Send(chain.server(), bytes);
    ShutdownWrite(chain.server());
  });
  std::string received;
  while (received.size() < bytes.size()) {
    received += Receive(chain.client(),
                        std::min<size_t>(1000, bytes.size() - received.size()));
  }
  sent.get();
  CHECK(received == bytes);
  CHECK(ReceiveAll(chain.client()).empty());
}

}  // namespace
}  // namespace kith
