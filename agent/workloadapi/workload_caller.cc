// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/workload_caller.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "agent/runtime/clock.h"
#include "agent/runtime/run_on.h"
#include "agent/workloadapi/claims_struct.h"
#include "agent/workloadapi/secret_stream.h"
#include "agent/workloadapi/spiffe_workload_api.pb.h"

namespace kith {
namespace {

// The service has no package.
constexpr std::string_view kService = "/SpiffeWorkloadAPI/";

// Keeps pages of web browsers, which cannot set it across origins, away
// (SPIFFE Workload Endpoint standard, section 6.1).
constexpr std::string_view kSecurityHeader = "workload.spiffe.io";

absl::Status CheckSecurityHeader(const GrpcHeaders &headers) {
  return headers.Metadata(kSecurityHeader) == "true"
             ? absl::OkStatus()
             : absl::InvalidArgumentError(absl::StrCat(
                   "security header missing from request: ", kSecurityHeader));
}

template <typename Request>
absl::StatusOr<Request> Parse(const GrpcCall &call) {
  Request request;
  if (!request.ParseFromString(call.request())) {
    return absl::InternalError(
        "the request is no protobuf message of its kind");
  }
  return request;
}

template <typename Response>
absl::Status Reply(GrpcCall &call, const Response &response) {
  call.Send(std::make_shared<GrpcMessage>(response.SerializeAsString()));
  return absl::OkStatus();
}

}  // namespace

Task<absl::Status> WorkloadCaller::Answer(std::shared_ptr<GrpcCall> call) {
  const std::string &path = call->headers().path();
  if (IsOfSecrets(path)) {
    co_return co_await AnswerSecrets(std::move(call));
  }
  if (absl::Status checked = CheckSecurityHeader(call->headers());
      !checked.ok()) {
    co_return checked;
  }
  const StateOf state_of = StreamOf(path);
  absl::Status status;
  if (state_of) {
    status = co_await Watch(call, state_of);
  } else if (path == absl::StrCat(kService, "FetchJWTSVID")) {
    status = co_await FetchJwtSvid(call);
  } else if (path == absl::StrCat(kService, "ValidateJWTSVID")) {
    status = co_await ValidateJwtSvid(call);
  } else {
    status = absl::UnimplementedError(absl::StrCat("no method ", path));
  }
  co_return status;
}

WorkloadCaller::StateOf WorkloadCaller::StreamOf(std::string_view path) {
  if (path == absl::StrCat(kService, "FetchX509SVID")) {
    return [this](const SpiffeId &id) { return SvidState(id); };
  }
  if (path == absl::StrCat(kService, "FetchX509Bundles")) {
    return [this](const SpiffeId &id) {
      return state_->messages.OfX509Bundles(state_->source->bundle(id));
    };
  }
  if (path == absl::StrCat(kService, "FetchJWTBundles")) {
    return [this](const SpiffeId &id) {
      return state_->messages.OfJwtBundles(state_->source->bundle(id));
    };
  }
  return nullptr;
}

void WorkloadCaller::Recheck() {
  for (GrpcCall *stream : streams_) {
    stream->changed().Notify();
  }
}

// The calls of one connection share the answer: they are of one process.
Task<absl::StatusOr<SpiffeId>> WorkloadCaller::Identify() {
  if (identifying_) {
    const uint64_t seen = identified_.count();
    co_await identified_.WaitBeyond(seen);
    co_return identity_;
  }
  identifying_ = true;
  auto identify = [source = state_->source, process = process_] {
    return source->Identify(*process);
  };
  auto caller = co_await RunOn<absl::StatusOr<ApiCaller>>(state_->pool,
                                                          std::move(identify));
  identifying_ = false;
  facts_ = caller.ok() ? std::optional(caller->process) : std::nullopt;
  identity_ = caller.ok() ? absl::StatusOr<SpiffeId>(caller->id)
                          : absl::StatusOr<SpiffeId>(caller.status());
  identified_.Notify();
  co_return identity_;
}

absl::StatusOr<WorkloadCaller::Message> WorkloadCaller::SvidState(
    const SpiffeId &id) {
  auto svid = state_->source->GetX509Svid(id);
  if (!svid.ok()) {
    return svid.status();
  }
  return state_->messages.OfSvid(*svid, state_->source->bundle(id));
}

Task<absl::Status> WorkloadCaller::Watch(std::shared_ptr<GrpcCall> call,
                                         StateOf state_of) {
  // None of the streams' requests has a field.
  if (auto request = Parse<X509SVIDRequest>(*call); !request.ok()) {
    co_return request.status();
  }
  const absl::Cleanup forget = [this, &call] { streams_.erase(call.get()); };
  streams_.insert(call.get());
  Message sent;
  while (!call->ended()) {
    const uint64_t seen = call->changed().count();
    auto id = co_await Identify();
    absl::StatusOr<Message> state =
        id.ok() ? state_of(*id) : absl::StatusOr<Message>(id.status());
    // What cannot be known for a moment does not end a stream.
    if (!state.ok() &&
        (sent == nullptr || !absl::IsUnavailable(state.status()))) {
      co_return state.status();
    }
    if (state.ok() && *state != sent) {
      sent = *state;
      call->Send(sent);
    }
    co_await call->changed().WaitBeyond(seen);
  }
  co_return absl::CancelledError("the call has ended");
}

Task<absl::Status> WorkloadCaller::FetchJwtSvid(
    std::shared_ptr<GrpcCall> call) {
  auto request = Parse<JWTSVIDRequest>(*call);
  if (!request.ok()) {
    co_return request.status();
  }
  if (request->audience().empty()) {
    co_return absl::InvalidArgumentError("audience must be specified");
  }
  auto id = co_await Identify();
  if (!id.ok()) {
    co_return id.status();
  }
  if (!request->spiffe_id().empty() && request->spiffe_id() != id->uri()) {
    co_return absl::PermissionDeniedError(
        "the caller does not have the SPIFFE ID that it asks for");
  }
  auto issue = [source = state_->source,
                id = *id,
                audience = std::vector<std::string>(
                    request->audience().begin(), request->audience().end())] {
    return source->IssueJwtSvid(id, audience);
  };
  auto token = co_await RunOn<absl::StatusOr<std::string>>(state_->pool,
                                                           std::move(issue));
  if (!token.ok()) {
    co_return token.status();
  }
  JWTSVIDResponse response;
  JWTSVID *svid = response.add_svids();
  svid->set_spiffe_id(id->uri());
  svid->set_svid(*std::move(token));
  co_return Reply(*call, response);
}

Task<absl::Status> WorkloadCaller::ValidateJwtSvid(
    std::shared_ptr<GrpcCall> call) {
  auto request = Parse<ValidateJWTSVIDRequest>(*call);
  if (!request.ok()) {
    co_return request.status();
  }
  if (request->audience().empty() || request->svid().empty()) {
    co_return absl::InvalidArgumentError("audience and svid must be specified");
  }
  auto id = co_await Identify();
  if (!id.ok()) {
    co_return id.status();
  }
  const auto bundle = state_->source->bundle(*id);
  if (bundle == nullptr) {
    co_return absl::UnavailableError("the trust bundle is not there yet");
  }
  auto verified = bundle->VerifyJwtSvid(
      request->svid(), request->audience(), SystemClock().Now());
  if (!verified.ok()) {
    co_return verified.status();
  }
  ValidateJWTSVIDResponse response;
  response.set_spiffe_id(verified->id.uri());
  if (absl::Status read =
          ReadClaims(verified->claims, *response.mutable_claims());
      !read.ok()) {
    co_return read;
  }
  co_return Reply(*call, response);
}

}  // namespace kith
