// SPDX-License-Identifier: Apache-2.0
#include "agent/hotrestart/message_channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

#include <catch2/catch_test_macros.hpp>

namespace kith {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSoon{10'000};

struct Ends {
  FileDescriptor raw;
  MessageChannel channel;
};

Ends Connected() {
  std::array<int, 2> fds{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
  return {FileDescriptor(fds[0]), MessageChannel(FileDescriptor(fds[1]))};
}

void Write(const FileDescriptor &fd, std::span<const uint32_t> words) {
  REQUIRE(send(fd.get(), words.data(), words.size_bytes(), 0) ==
          static_cast<ssize_t>(words.size_bytes()));
}

TEST_CASE("a message arrives with its secrets and descriptors") {
  Ends ends = Connected();
  MessageChannel sender(std::move(ends.raw));
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe2(pipe_ends.data(), O_CLOEXEC) == 0);
  const FileDescriptor read_end(pipe_ends[0]);
  Message message{.kind = Message::Kind::kFlow,
                  .body = std::string(700'000, 'b')};
  auto secret = Secret::Create(64);
  REQUIRE(secret.ok());
  std::memset(secret->bytes().data(), 's', 64);
  message.secrets = *std::move(secret);
  message.descriptors.emplace_back(pipe_ends[1]);

  absl::Status sent;
  std::thread sending([&] { sent = sender.Send(message); });
  auto received = ends.channel.ReceiveKind(Message::Kind::kFlow, kSoon);
  sending.join();
  REQUIRE(sent.ok());
  REQUIRE(received.ok());
  CHECK(received->body == message.body);
  CHECK(std::ranges::equal(received->secrets.bytes(), message.secrets.bytes()));
  REQUIRE(received->descriptors.size() == 1);
  CHECK(write(received->descriptors[0].get(), "x", 1) == 1);
  char byte = 0;
  CHECK(read(read_end.get(), &byte, 1) == 1);
}

TEST_CASE("what is no message is refused") {
  constexpr uint32_t kMagic = 0x6874696b;
  SECTION("another protocol") {
    Ends ends = Connected();
    Write(ends.raw, std::array<uint32_t, 4>{0x20544547, 0, 0, 0});
    CHECK(absl::IsInvalidArgument(ends.channel.Receive(kSoon).status()));
  }
  SECTION("a body beyond the bound") {
    Ends ends = Connected();
    Write(ends.raw, std::array<uint32_t, 4>{kMagic, 5, 1u << 30, 0});
    CHECK(absl::IsInvalidArgument(ends.channel.Receive(kSoon).status()));
  }
  SECTION("secrets beyond the bound") {
    Ends ends = Connected();
    Write(ends.raw, std::array<uint32_t, 4>{kMagic, 5, 0, 129});
    CHECK(absl::IsInvalidArgument(ends.channel.Receive(kSoon).status()));
  }
  SECTION("another kind than the one that is due") {
    Ends ends = Connected();
    Write(ends.raw, std::array<uint32_t, 4>{kMagic, 6, 0, 0});
    CHECK(absl::IsInvalidArgument(
        ends.channel.ReceiveKind(Message::Kind::kHello, kSoon).status()));
  }
  SECTION("half a header, then the end") {
    Ends ends = Connected();
    Write(ends.raw, std::array<uint32_t, 2>{kMagic, 5});
    ends.raw.Reset();
    CHECK(absl::IsInvalidArgument(ends.channel.Receive(kSoon).status()));
  }
  SECTION("half a body, then the end") {
    Ends ends = Connected();
    Write(ends.raw, std::array<uint32_t, 5>{kMagic, 5, 8, 0, 0});
    ends.raw.Reset();
    CHECK(absl::IsUnavailable(ends.channel.Receive(kSoon).status()));
  }
}

TEST_CASE("one that is gone, or silent, is told apart") {
  Ends ends = Connected();
  CHECK(absl::IsDeadlineExceeded(
      ends.channel.Receive(milliseconds(10)).status()));
  ends.raw.Reset();
  CHECK(absl::IsUnavailable(ends.channel.Receive(kSoon).status()));
  CHECK(absl::IsUnavailable(ends.channel.Send({.kind = Message::Kind::kDone})));
  CHECK(absl::IsNotFound(
      MessageChannel::Connect("/nonexistent/takeover.sock").status()));
}

}  // namespace
}  // namespace kith
