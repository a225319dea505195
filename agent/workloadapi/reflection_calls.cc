// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/workloadapi/api_descriptions.h"
#include "agent/workloadapi/api_method.h"
#include "agent/workloadapi/reflection.pb.h"
#include "agent/workloadapi/reply.h"
#include "agent/workloadapi/service_calls.h"

namespace kith {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

void Fail(const absl::Status &why, ServerReflectionResponse &response) {
  auto *error = response.mutable_error_response();
  error->set_error_code(why.raw_code());
  error->set_error_message(std::string(why.message()));
}

void Describe(const absl::StatusOr<ApiDescriptions::Files> &files,
              ServerReflectionResponse &response) {
  if (!files.ok()) {
    Fail(files.status(), response);
    return;
  }
  for (const std::string &file : *files) {
    response.mutable_file_descriptor_response()->add_file_descriptor_proto(
        file);
  }
}

void ListServices(ServerReflectionResponse &response) {
  for (const std::string_view name : ServiceNames()) {
    response.mutable_list_services_response()->add_service()->set_name(
        std::string(name));
  }
}

// No message here has extensions.
absl::Status NoExtensions(const std::string &type) {
  return absl::NotFoundError(absl::StrCat("no extensions of ", type));
}

ServerReflectionResponse Answer(const ServerReflectionRequest &request) {
  using Kind = ServerReflectionRequest::MessageRequestCase;
  const ApiDescriptions &descriptions = ApiDescriptions::Get();
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Kind::kListServices:
      ListServices(response);
      break;
    case Kind::kFileByFilename:
      Describe(descriptions.OfFile(request.file_by_filename()), response);
      break;
    case Kind::kFileContainingSymbol:
      Describe(descriptions.OfSymbol(request.file_containing_symbol()),
               response);
      break;
    case Kind::kAllExtensionNumbersOfType:
      Fail(NoExtensions(request.all_extension_numbers_of_type()), response);
      break;
    case Kind::kFileContainingExtension:
      Fail(NoExtensions(request.file_containing_extension().containing_type()),
           response);
      break;
    case Kind::MESSAGE_REQUEST_NOT_SET:
      Fail(absl::InvalidArgumentError("the request asks for nothing"),
           response);
      break;
  }
  return response;
}

}  // namespace

Task<absl::Status> AnswerReflection(std::shared_ptr<GrpcCall> call) {
  while (!call->ended()) {
    const uint64_t seen = call->changed().count();
    if (call->idle()) {
      if (auto text = call->TakeRequest()) {
        ServerReflectionRequest request;
        if (!request.ParseFromString(*text)) {
          co_return absl::InternalError(
              "the request is no ServerReflectionRequest");
        }
        call->Send(Serialized(Answer(request)));
        call->NotifyWhenIdle();
      } else if (call->requests_ended()) {
        co_return absl::OkStatus();
      }
    }
    co_await call->changed().WaitBeyond(seen);
  }
  co_return absl::CancelledError("the call has ended");
}

}  // namespace kith
