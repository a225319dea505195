// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "agent/workloadapi/spiffe_workload_api.pb.h"
#include "agent/workloadapi/workload_api.h"
#include "test/fakes/fake_workload_api_source.h"
#include "test/fakes/temporary_directory.h"
#include "test/unit/workloadapi/grpc_client.h"

namespace kith {

// Codes of gRPC (statuscodes.md); those of absl::StatusCode are the same.
inline constexpr int kOk = 0;
inline constexpr int kInvalidArgument = 3;
inline constexpr int kDeadlineExceeded = 4;
inline constexpr int kPermissionDenied = 7;
inline constexpr int kResourceExhausted = 8;
inline constexpr int kUnimplemented = 12;
inline constexpr int kInternal = 13;
inline constexpr int kUnavailable = 14;

// ApiFixture is a Workload API that listens, and a client of it.
struct ApiFixture {
  ApiFixture() { REQUIRE(api->Listen(path).ok()); }

  TemporaryDirectory directory;
  std::string path = directory.File("workload.sock");
  FakeWorkloadApiSource source;
  std::unique_ptr<WorkloadApi> api = WorkloadApi::Create(&source);

  template <typename Message>
  static Message Parsed(const std::string &text) {
    Message message;
    REQUIRE(message.ParseFromString(text));
    return message;
  }

  // SvidIn returns the one SVID of a response.
  static X509SVID SvidIn(const std::string &text) {
    const auto response = Parsed<X509SVIDResponse>(text);
    REQUIRE(response.svids_size() == 1);
    return response.svids(0);
  }

  // FetchJwt returns the answer to FetchJWTSVID.
  GrpcAnswer FetchJwt(const std::vector<std::string> &audience,
                      const std::string &id = "") {
    JWTSVIDRequest request;
    request.mutable_audience()->Assign(audience.begin(), audience.end());
    request.set_spiffe_id(id);
    GrpcClient client(path);
    return client.AwaitEnd(
        client.Call("FetchJWTSVID", request.SerializeAsString()));
  }

  GrpcAnswer Validate(const std::string &audience, const std::string &token) {
    ValidateJWTSVIDRequest request;
    request.set_audience(audience);
    request.set_svid(token);
    GrpcClient client(path);
    return client.AwaitEnd(
        client.Call("ValidateJWTSVID", request.SerializeAsString()));
  }
};

}  // namespace kith
