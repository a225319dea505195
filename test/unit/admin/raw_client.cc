// SPDX-License-Identifier: Apache-2.0
#include "test/unit/admin/raw_client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>

namespace kith {

RawClient::RawClient(const std::string &socket_path)
    : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  connected_ = connect(fd_.get(),
                       reinterpret_cast<const sockaddr *>(&address),
                       sizeof(address)) == 0;
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string RawClient::Receive(std::string_view until) {
  std::array<char, 4096> buffer;
  size_t end = 0;
  while (until.empty() || (end = received_.find(until)) == std::string::npos) {
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) {
      return std::exchange(received_, {});
    }
    received_.append(buffer.data(), static_cast<size_t>(got));
  }
  std::string wanted = received_.substr(0, end + until.size());
  received_.erase(0, wanted.size());
  return wanted;
}

std::string Ask(const std::string &socket_path, std::string_view request) {
  RawClient client(socket_path);
  // A server that has refused a long request may have closed already.
  (void)client.Send(request);
  return client.Receive();
}

std::string BodyOf(const std::string &answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace kith
