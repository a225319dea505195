// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/runtime/file_descriptor.h"
#include "kith/secret.h"

namespace kith {

// Message is what two agents exchange in a hot restart.
struct Message {
  enum class Kind : uint32_t {
    kHello = 1,     // child: who is there?
    kWelcome = 2,   // parent: the hooks and the claim are shared
    kSwapping = 3,  // child: from here on the hooks may be mine
    kSteering = 4,  // child: new connections come to me
    kFlow = 5,      // parent: a flow
    kDone = 6,      // parent: that was the last flow
    kTaken = 7,     // child: end, I carry on
  };
  Kind kind = Kind::kHello;
  std::string body;  // a message of takeover.proto, or empty
  Secret secrets;    // always in locked memory
  std::vector<FileDescriptor> descriptors;
};

// MessageChannel carries messages over a connected Unix stream socket, with
// descriptors as SCM_RIGHTS (unix(7)). Blocking; for one thread.
class MessageChannel {
 public:
  // Bounds of what is accepted: a flow with its buffers, two traffic secrets,
  // and the locks of a deep cgroup.
  static constexpr size_t kMaxBody = size_t{1} << 20;
  static constexpr size_t kMaxSecrets = 128;
  static constexpr size_t kMaxDescriptors = 64;

  explicit MessageChannel(FileDescriptor socket) : socket_(std::move(socket)) {}

  // Connect returns NotFound if no process listens at `path`.
  static absl::StatusOr<MessageChannel> Connect(const std::string &path);

  // Send and Receive return Unavailable if the other side is gone, and
  // DeadlineExceeded if one step takes longer than `patience`. Receive returns
  // InvalidArgument for bytes that are no message.
  absl::Status Send(const Message &message);
  absl::StatusOr<Message> Receive(std::chrono::milliseconds patience);
  // ReceiveKind receives a message; InvalidArgument: it is of another kind.
  absl::StatusOr<Message> ReceiveKind(Message::Kind kind,
                                      std::chrono::milliseconds patience);

  int fd() const { return socket_.get(); }

 private:
  absl::Status SendBytes(std::span<const uint8_t> bytes);
  absl::Status ReceiveBytes(std::span<uint8_t> bytes);
  absl::Status ReceiveRest(Message &message, size_t body, size_t secrets);

  FileDescriptor socket_;
};

}  // namespace kith
