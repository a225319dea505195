// SPDX-License-Identifier: Apache-2.0
// What every gRPC server is asked beside its own services.
#include <string>
#include <vector>

#include <catch2/generators/catch_generators.hpp>

#include "agent/workloadapi/descriptors.pb.h"
#include "agent/workloadapi/health.pb.h"
#include "agent/workloadapi/reflection.pb.h"
#include "test/unit/workloadapi/api_fixture.h"

namespace kith {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::health::v1::HealthListResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

// Strangers may ask, without a security header.
struct ServicesFixture : ApiFixture {
  ServicesFixture() { source.Serve(absl::PermissionDeniedError("nobody")); }

  GrpcClient client{path};

  int32_t Call(const std::string &method,
               const std::string &request,
               bool end = true) {
    GrpcClient::Fields fields = GrpcClient::FieldsOf("");
    fields[2].second = method;
    fields.pop_back();
    return client.Call(fields, WithPrefix(request), end);
  }
  static std::string Of(const std::string &service) {
    HealthCheckRequest request;
    request.set_service(service);
    return request.SerializeAsString();
  }
};

TEST_CASE_METHOD(ServicesFixture, "health of what is served") {
  for (const char *service :
       {"",
        "SpiffeWorkloadAPI",
        "envoy.service.secret.v3.SecretDiscoveryService"}) {
    const GrpcAnswer &answer =
        client.AwaitEnd(Call("/grpc.health.v1.Health/Check", Of(service)));
    REQUIRE(answer.messages.size() == 1);
    CHECK(Parsed<HealthCheckResponse>(answer.messages[0]).status() ==
          HealthCheckResponse::SERVING);
  }
  constexpr int kNotFound = 5;
  CHECK(client.AwaitEnd(Call("/grpc.health.v1.Health/Check", Of("no.such")))
            .code() == kNotFound);
  const GrpcAnswer &list =
      client.AwaitEnd(Call("/grpc.health.v1.Health/List", ""));
  REQUIRE(list.messages.size() == 1);
  CHECK(Parsed<HealthListResponse>(list.messages[0])
            .statuses()
            .at("SpiffeWorkloadAPI")
            .status() == HealthCheckResponse::SERVING);
}

TEST_CASE_METHOD(ServicesFixture, "health is watched until the agent stops") {
  const int32_t known = Call("/grpc.health.v1.Health/Watch", Of(""));
  const int32_t unknown = Call("/grpc.health.v1.Health/Watch", Of("no.such"));
  CHECK(
      Parsed<HealthCheckResponse>(client.AwaitMessages(known, 1).messages.at(0))
          .status() == HealthCheckResponse::SERVING);
  CHECK(Parsed<HealthCheckResponse>(
            client.AwaitMessages(unknown, 1).messages.at(0))
            .status() == HealthCheckResponse::SERVICE_UNKNOWN);
  api->Stop();
  CHECK(client.AwaitEnd(known).code() == kUnavailable);
}

TEST_CASE_METHOD(ServicesFixture, "a description of every service") {
  const std::string method = GENERATE(
      std::string("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
      std::string(
          "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"));
  ServerReflectionRequest list;
  list.set_list_services("");
  const int32_t stream = Call(method, list.SerializeAsString(), false);
  const auto response = Parsed<ServerReflectionResponse>(
      client.AwaitMessages(stream, 1).messages.at(0));
  REQUIRE(response.list_services_response().service_size() == 6);
  size_t count = 1;
  for (const auto &service : response.list_services_response().service()) {
    ServerReflectionRequest ask;
    ask.set_file_containing_symbol(service.name());
    client.SendMore(stream, WithPrefix(ask.SerializeAsString()));
    const auto found = Parsed<ServerReflectionResponse>(
        client.AwaitMessages(stream, ++count).messages.back());
    REQUIRE(found.file_descriptor_response().file_descriptor_proto_size() > 0);
    const auto file = Parsed<descriptors::File>(
        found.file_descriptor_response().file_descriptor_proto(0));
    REQUIRE(file.service_size() == 1);
    CHECK(service.name().ends_with(file.service(0).name()));
  }
}

TEST_CASE_METHOD(ServicesFixture, "all that was asked is answered in order") {
  std::string requests;
  for (const char *symbol : {"SpiffeWorkloadAPI", "no.such", "X509SVID"}) {
    ServerReflectionRequest ask;
    ask.set_file_containing_symbol(symbol);
    requests += WithPrefix(ask.SerializeAsString());
  }
  GrpcClient::Fields fields = GrpcClient::FieldsOf("");
  fields[2].second =
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const GrpcAnswer &answer = client.AwaitEnd(client.Call(fields, requests));
  CHECK(answer.code() == kOk);
  REQUIRE(answer.messages.size() == 3);
  const auto at = [&](size_t i) {
    return Parsed<ServerReflectionResponse>(answer.messages[i]);
  };
  CHECK(at(0).has_file_descriptor_response());
  CHECK(at(1).error_response().error_message() == "symbol not found: no.such");
  CHECK(at(1).original_request().file_containing_symbol() == "no.such");
  CHECK(at(2).has_file_descriptor_response());
}

TEST_CASE_METHOD(ServicesFixture, "what cannot be described is an error") {
  ServerReflectionRequest file;
  file.set_file_by_filename("nothing.proto");
  ServerReflectionRequest extension;
  extension.mutable_file_containing_extension()->set_containing_type(
      "X509SVID");
  for (const auto &request : {ServerReflectionRequest(), file, extension}) {
    const GrpcAnswer &answer = client.AwaitEnd(
        Call("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
             request.SerializeAsString()));
    CHECK(answer.code() == kOk);
    REQUIRE(answer.messages.size() == 1);
    CHECK(Parsed<ServerReflectionResponse>(answer.messages[0])
              .has_error_response());
  }
  CHECK(client
            .AwaitEnd(Call(
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                "\xff\xff"))
            .code() == kInternal);
}

}  // namespace
}  // namespace kith
