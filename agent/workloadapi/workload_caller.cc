// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/workload_caller.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "agent/runtime/clock.h"
#include "agent/runtime/run_on.h"
#include "agent/workloadapi/api_method.h"
#include "agent/workloadapi/claims_struct.h"
#include "agent/workloadapi/reply.h"
#include "agent/workloadapi/service_calls.h"
#include "agent/workloadapi/spiffe_workload_api.pb.h"

namespace kith {
namespace {

constexpr std::string_view kSecurityHeader = "workload.spiffe.io";

Task<absl::Status> Ended(absl::Status status) {
  co_return status;
}

}  // namespace

absl::StatusOr<GrpcMethod> WorkloadCaller::Admit(
    const GrpcHeaders &headers) const {
  auto method = FindMethod(headers.path());
  if (!method.ok()) {
    return method.status();
  }
  if ((*method)->needs_security_header &&
      headers.Metadata(kSecurityHeader) != "true") {
    return absl::InvalidArgumentError(absl::StrCat(
        "security header missing from request: ", kSecurityHeader));
  }
  return (*method)->requests;
}

Task<absl::Status> WorkloadCaller::Answer(std::shared_ptr<GrpcCall> call) {
  using Answer = ApiMethod::Answer;
  auto method = FindMethod(call->headers().path());
  if (!method.ok()) {
    return Ended(method.status());
  }
  const auto state = [this](auto member) -> StateOf {
    return [this, member](const SpiffeId &id) { return (this->*member)(id); };
  };
  switch ((*method)->answer) {
    case Answer::kX509Svid:
      return Watch(std::move(call), state(&WorkloadCaller::SvidState));
    case Answer::kX509Bundles:
      return Watch(std::move(call), state(&WorkloadCaller::X509BundlesState));
    case Answer::kJwtBundles:
      return Watch(std::move(call), state(&WorkloadCaller::JwtBundlesState));
    case Answer::kJwtSvid:
      return FetchJwtSvid(std::move(call));
    case Answer::kValidateJwt:
      return ValidateJwtSvid(std::move(call));
    case Answer::kSecrets:
      return WatchSecrets(
          std::move(call),
          std::make_unique<WholeSecretStream>(SecretTypeUrl::kOptional));
    case Answer::kTypedSecrets:
      return WatchSecrets(
          std::move(call),
          std::make_unique<WholeSecretStream>(SecretTypeUrl::kRequired));
    case Answer::kSecretChanges:
      return WatchSecrets(
          std::move(call),
          std::make_unique<ChangingSecretStream>(SecretTypeUrl::kOptional));
    case Answer::kTypedSecretChanges:
      return WatchSecrets(
          std::move(call),
          std::make_unique<ChangingSecretStream>(SecretTypeUrl::kRequired));
    case Answer::kSecretsOnce:
      return FetchSecrets(std::move(call));
    case Answer::kReflection:
      return AnswerReflection(std::move(call));
    case Answer::kHealth:
      return Ended(AnswerHealth(*call));
    case Answer::kHealthList:
      return Ended(AnswerHealthList(*call));
    case Answer::kHealthWatch:
      return WatchHealth(std::move(call));
  }
  return Ended(absl::InternalError("a method without an answer"));
}

void WorkloadCaller::Recheck() {
  for (GrpcCall *stream : streams_) {
    stream->changed().Notify();
  }
}

// The calls of one connection share the answer: they have one process.
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

absl::StatusOr<WorkloadCaller::Message> WorkloadCaller::X509BundlesState(
    const SpiffeId &id) {
  return state_->messages.OfX509Bundles(state_->source->bundle(id));
}

absl::StatusOr<WorkloadCaller::Message> WorkloadCaller::JwtBundlesState(
    const SpiffeId &id) {
  return state_->messages.OfJwtBundles(state_->source->bundle(id));
}

Task<absl::Status> WorkloadCaller::Watch(std::shared_ptr<GrpcCall> call,
                                         StateOf state_of) {
  // None of the streams' requests has a field.
  if (auto request = ParseRequest<X509SVIDRequest>(*call); !request.ok()) {
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
    // A temporary error does not end a stream.
    if (!state.ok() &&
        (sent == nullptr || !absl::IsUnavailable(state.status()))) {
      co_return state.status();
    }
    // A new bundle may have the same content.
    if (state.ok() && *state != sent) {
      const bool is_news = sent == nullptr || !(*state)->Equals(*sent);
      sent = *state;
      if (is_news) {
        call->Send(sent);
      }
    }
    co_await call->changed().WaitBeyond(seen);
  }
  co_return absl::CancelledError("the call has ended");
}

Task<absl::Status> WorkloadCaller::FetchJwtSvid(
    std::shared_ptr<GrpcCall> call) {
  auto request = ParseRequest<JWTSVIDRequest>(*call);
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
  auto request = ParseRequest<ValidateJWTSVIDRequest>(*call);
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
