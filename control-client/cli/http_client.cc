// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <httplib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "agent/runtime/file_descriptor.h"
#include "control-client/cli/admin_client.h"
#include "control-client/cli/json_fields.h"

namespace kith {
namespace {

// An explanation may hash a binary of up to a gigabyte.
constexpr time_t kAnswerSeconds = 30;
// A stream is silent while no flow changes. It ends with the agent or the user.
constexpr time_t kStreamSeconds = 365 * 24 * 3600;

int ConnectError(const std::string &socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) {
    return ENAMETOOLONG;
  }
  socket_path.copy(address.sun_path, socket_path.size());
  const FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int result = connect(
      fd.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address));
  return result == 0 ? 0 : errno;
}

// Unreachable says why: the library keeps no errno, so that the connect is
// repeated.
absl::Status Unreachable(const std::string &socket, httplib::Error error) {
  const int reason = ConnectError(socket);
  switch (reason) {
    case 0:
      return absl::UnavailableError(absl::StrCat("the agent at ",
                                                 socket,
                                                 " gave no answer (",
                                                 httplib::to_string(error),
                                                 "); see its log"));
    case ENOENT:
    case ECONNREFUSED:
      return absl::UnavailableError(
          absl::StrCat("no agent runs at ",
                       socket,
                       "; start `kith agent`, or name its socket with "
                       "--socket or KITH_SOCKET"));
    case EACCES:
    case EPERM:
      return absl::UnavailableError(
          absl::StrCat("permission denied on ",
                       socket,
                       "; run as root or as a member of the agent's admin "
                       "group (admin.group in kith.yaml, default kith)"));
    default:
      return absl::UnavailableError(
          absl::StrCat("cannot connect to ", socket, ": ", strerror(reason)));
  }
}

absl::StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 503:
      return absl::StatusCode::kResourceExhausted;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status ErrorOf(int http_status, const std::string &body) {
  const Json json = ParseJson(body);
  std::string message = TextAt(json, "/error");
  if (message.empty()) {
    message = absl::StrCat("the agent answered with HTTP status ", http_status);
  }
  return absl::Status(CodeOf(http_status), message);
}

absl::StatusOr<Json> Decode(int http_status, const std::string &body) {
  if (http_status != 200) {
    return ErrorOf(http_status, body);
  }
  Json json = ParseJson(body);
  if (json.is_discarded()) {
    return absl::InternalError("the agent's answer is not JSON");
  }
  return json;
}

// LineSplitter splits the pieces of a stream into lines.
class LineSplitter {
 public:
  explicit LineSplitter(const std::function<bool(std::string_view)> &on_line)
      : on_line_(on_line) {}

  // Add returns false if the reader wants no more lines.
  bool Add(std::string_view piece) {
    rest_.append(piece);
    size_t begin = 0;
    for (size_t end; (end = rest_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      if (!on_line_(std::string_view(rest_).substr(begin, end - begin))) {
        return false;
      }
    }
    rest_.erase(0, begin);
    return rest_.size() <= AdminClient::kMaxLine;
  }

 private:
  const std::function<bool(std::string_view)> &on_line_;
  std::string rest_;
};

class HttpAdminClient : public AdminClient {
 public:
  explicit HttpAdminClient(const std::string &socket)
      : socket_(socket), client_(socket, 80) {
    client_.set_address_family(AF_UNIX);
    client_.set_tcp_nodelay(false);  // a Unix socket has no such option
    client_.set_read_timeout(kAnswerSeconds);
  }

  absl::StatusOr<Json> Get(const std::string &path,
                           const Parameters &parameters) override {
    const auto result =
        client_.Get(httplib::append_query_params(path, parameters));
    if (!result) {
      return Unreachable(socket_, result.error());
    }
    return Decode(result->status, result->body);
  }

  absl::StatusOr<Json> Put(const std::string &path, const Json &body) override {
    const auto result = client_.Put(path, DumpJson(body), "application/json");
    if (!result) {
      return Unreachable(socket_, result.error());
    }
    return Decode(result->status, result->body);
  }

  absl::Status Stream(
      const std::string &path,
      const Parameters &parameters,
      const std::function<bool(std::string_view)> &on_line) override {
    int status = 0;
    bool enough = false;
    std::string error_body;
    LineSplitter lines(on_line);
    client_.set_read_timeout(kStreamSeconds);
    const auto result = client_.Get(
        httplib::append_query_params(path, parameters),
        httplib::Headers(),
        [&](const httplib::Response &response) {
          status = response.status;
          return !cancelled_;
        },
        [&](const char *piece, size_t size) {
          if (status != 200) {
            error_body.append(piece, size);
            return error_body.size() <= kMaxLine;
          }
          enough = !lines.Add({piece, size});
          return !enough;
        });
    if (cancelled_ || enough || (status == 200 && !result)) {
      return absl::OkStatus();  // a stream cut short is an agent that stopped
    }
    if (!result) {
      return Unreachable(socket_, result.error());
    }
    return status == 200 ? absl::OkStatus() : ErrorOf(status, error_body);
  }

  void Cancel() override {
    cancelled_ = true;
    client_.stop();
  }

 private:
  const std::string socket_;
  httplib::Client client_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace

std::unique_ptr<AdminClient> AdminClient::Create(const std::string &socket) {
  return std::make_unique<HttpAdminClient>(socket);
}

}  // namespace kith
