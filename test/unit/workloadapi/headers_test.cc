// SPDX-License-Identifier: Apache-2.0
// What clients send before their request.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "agent/grpc/grpc_headers.h"
#include "test/unit/workloadapi/api_fixture.h"

namespace kith {
namespace {

// gRPC for Java sends the path of the socket, an Envoy the name of a cluster.
TEST_CASE_METHOD(ApiFixture, "any octets are taken for :authority") {
  GrpcClient client(path);
  for (const char *authority : {"/run/kith/workload.sock",
                                "outbound|8080||web",
                                "",
                                "a b",
                                "\xff\x01"}) {
    GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
    fields[3].second = authority;
    CHECK(client.AwaitMessages(client.Call(fields, WithPrefix("")), 1)
              .messages.size() == 1);
  }
  GrpcClient::Fields without = GrpcClient::FieldsOf("FetchX509SVID");
  without.erase(without.begin() + 3);
  CHECK(client.AwaitMessages(client.Call(without, WithPrefix("")), 1)
            .messages.size() == 1);
}

TEST_CASE_METHOD(ApiFixture, "what is used of the headers is there once") {
  GrpcClient client(path);
  GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
  fields.insert(fields.begin(), {":path", "/SpiffeWorkloadAPI/FetchJWTSVID"});
  CHECK(client.AwaitEnd(client.Call(fields, WithPrefix(""))).code() ==
        kInvalidArgument);
}

// What a client does whose library opens the stream before it knows the method.
TEST_CASE_METHOD(ApiFixture, "a refusal does not wait for requests") {
  GrpcClient client(path);
  const auto refused = [&](const std::string &full, int code) {
    GrpcClient::Fields fields = GrpcClient::FieldsOf("");
    fields[2].second = full;
    const int32_t stream = client.Call(fields, "", false);
    const GrpcAnswer &answer = client.AwaitEnd(stream);
    CHECK(answer.code() == code);
    CHECK(answer.error == NGHTTP2_NO_ERROR);
  };
  refused("/SpiffeWorkloadAPI/NoSuch", kUnimplemented);
  refused("/no.such.Service/Method", kUnimplemented);
  refused("", kUnimplemented);
  GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
  fields.pop_back();
  CHECK(client.AwaitEnd(client.Call(fields, "", false)).code() ==
        kInvalidArgument);
}

// What it takes up is needed by others. Takes as long as the bound.
TEST_CASE_METHOD(ApiFixture, "a request that is never complete is given up") {
  GrpcClient client(path);
  const int32_t stream = client.Call(GrpcClient::FieldsOf("FetchJWTSVID"),
                                     WithPrefix("abc").substr(0, 6),
                                     false);
  const GrpcAnswer &answer = client.AwaitEnd(stream);
  CHECK(answer.code() == kDeadlineExceeded);
  CHECK(answer.text() == "a request was not complete after 10 seconds");
}

TEST_CASE_METHOD(ApiFixture, "headers are bounded") {
  GrpcClient client(path);
  GrpcClient::Fields fields = GrpcClient::FieldsOf("FetchX509SVID");
  fields.emplace_back("x-large", std::string(GrpcHeaders::kMaxBytes, 'x'));
  CHECK(client.AwaitEnd(client.Call(fields, WithPrefix(""))).code() ==
        kResourceExhausted);
}

}  // namespace
}  // namespace kith
