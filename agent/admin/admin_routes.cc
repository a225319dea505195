// SPDX-License-Identifier: Apache-2.0
#include "agent/admin/admin_routes.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "agent/admin/explanation_json.h"
#include "agent/admin/identity_json.h"
#include "agent/admin/reply_streams.h"
#include "agent/admin/status_json.h"

namespace kith {
namespace {

// Known rejects misspelt parameters: a filter that is silently ignored shows
// flows outside of the request.
absl::Status Known(const AdminRequest &request,
                   std::initializer_list<std::string_view> names) {
  for (const auto &[name, value] : request.parameters) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown parameter \"", name, "\""));
    }
  }
  return absl::OkStatus();
}

// Number reads a decimal parameter; `absent` where it is not given.
absl::StatusOr<uint32_t> Number(const AdminRequest &request,
                                const char *name,
                                uint32_t absent) {
  const auto found = request.parameters.find(name);
  if (found == request.parameters.end()) {
    return absent;
  }
  uint32_t number = 0;
  if (!absl::SimpleAtoi(found->second, &number)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " \"", found->second, "\" is not a number"));
  }
  return number;
}

AdminReply JsonReply(const Json &json) {
  return {.status = 200, .body = DumpJson(json), .stream = nullptr};
}

AdminReply StreamReply(std::unique_ptr<ReplyStream> stream) {
  return {.status = 200, .body = "", .stream = std::move(stream)};
}

AdminReply AnswerStatus(AgentView &view, const AdminRequest &request) {
  if (absl::Status known = Known(request, {}); !known.ok()) {
    return ErrorReply(known);
  }
  return JsonReply(
      StatusJson(view.GetStatus(), std::chrono::system_clock::now()));
}

AdminReply AnswerIdentities(AgentView &view, const AdminRequest &request) {
  if (absl::Status known = Known(request, {}); !known.ok()) {
    return ErrorReply(known);
  }
  Json rows = Json::array();
  for (const AgentView::IdentityRow &row : view.GetIdentities()) {
    rows.push_back(IdentityJson(row));
  }
  Json json = Json::object();
  json["identities"] = std::move(rows);
  return JsonReply(json);
}

AdminReply AnswerFlows(AgentView &view, const AdminRequest &request) {
  const absl::Status known = Known(request, {"closed", "limit"});
  const auto closed = Number(request, "closed", 0);
  const auto limit = Number(request, "limit", 0);
  for (const absl::Status &status : {known, closed.status(), limit.status()}) {
    if (!status.ok()) {
      return ErrorReply(status);
    }
  }
  if (*closed != 0) {
    return StreamReply(FlowListStream(view.flows().ListClosed(), *limit));
  }
  std::vector<FlowRecord> open = view.flows().ListOpen();
  std::sort(open.begin(), open.end(), [](const auto &one, const auto &other) {
    return one.id > other.id;  // the newest first, as the closed ones
  });
  return StreamReply(FlowListStream(std::move(open), *limit));
}

AdminReply AnswerExplain(AgentView &view, const AdminRequest &request) {
  const absl::Status known = Known(request, {"pid"});
  const auto pid = Number(request, "pid", 0);
  for (const absl::Status &status : {known, pid.status()}) {
    if (!status.ok()) {
      return ErrorReply(status);
    }
  }
  if (*pid == 0) {
    return ErrorReply(
        absl::InvalidArgumentError("parameter pid must be a process id"));
  }
  auto explanation = view.Explain(*pid);
  if (!explanation.ok()) {
    return ErrorReply(explanation.status());
  }
  return JsonReply(ExplanationJson(*explanation));
}

AdminReply AnswerTrace(AgentView &view, const AdminRequest &request) {
  const absl::Status known = Known(request, {"pid", "identity"});
  const auto pid = Number(request, "pid", 0);
  for (const absl::Status &status : {known, pid.status()}) {
    if (!status.ok()) {
      return ErrorReply(status);
    }
  }
  TraceFilter::Options options;
  if (request.parameters.contains("pid")) {
    options.pid = *pid;
  }
  if (const auto found = request.parameters.find("identity");
      found != request.parameters.end()) {
    auto id = SpiffeId::Parse(found->second);
    if (!id.ok()) {
      return ErrorReply(id.status());
    }
    options.spiffe_id = id->uri();
  }
  auto subscription = view.trace().Subscribe();
  if (subscription == nullptr) {
    return ErrorReply(absl::ResourceExhaustedError(
        absl::StrCat("all ",
                     TraceHub::kMaxSubscribers,
                     " traces are in use; end another `kith trace`")));
  }
  return StreamReply(TraceStream(std::move(subscription), std::move(options)));
}

absl::Status SetLogLevel(AgentView &view, const AdminRequest &request) {
  const Json json = ParseJson(request.body);
  if (!json.is_object() || !json.contains("level") ||
      !json["level"].is_string()) {
    return absl::InvalidArgumentError(
        "body must be a JSON object like {\"level\": \"debug\"}");
  }
  return view.SetLogLevel(json["level"].get<std::string>());
}

AdminReply AnswerLogLevel(AgentView &view,
                          const std::function<void(std::string)> &on_audit,
                          const AdminRequest &request) {
  const absl::Status result = SetLogLevel(view, request);
  if (!result.ok()) {
    on_audit(absl::StrCat("log level change by ",
                          request.caller,
                          " refused: ",
                          result.message()));
    return ErrorReply(result);
  }
  const Json json = ParseJson(request.body);
  const std::string level = json["level"].get<std::string>();
  on_audit(absl::StrCat("log level set to ", level, " by ", request.caller));
  return JsonReply({{"level", level}});
}

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

AdminReply ErrorReply(const absl::Status &error) {
  const Json json = {{"error", std::string(error.message())}};
  return {.status = HttpStatus(error.code()),
          .body = DumpJson(json),
          .stream = nullptr};
}

std::vector<AdminRoute> AdminRoutes(AgentView *view,
                                    std::function<void(std::string)> on_audit) {
  const auto over =
      [view](AdminReply (*answer)(AgentView &, const AdminRequest &)) {
        return [view, answer](const AdminRequest &request) {
          return answer(*view, request);
        };
      };
  return {
      {"GET", "/v1/status", over(AnswerStatus)},
      {"GET", "/v1/identities", over(AnswerIdentities)},
      {"GET", "/v1/flows", over(AnswerFlows)},
      {"GET", "/v1/explain", over(AnswerExplain)},
      {"GET", "/v1/trace", over(AnswerTrace)},
      {"PUT", "/v1/log-level", [view, on_audit](const AdminRequest &request) {
         return AnswerLogLevel(*view, on_audit, request);
       }}};
}

}  // namespace kith
