// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <catch2/catch_test_macros.hpp>

#include "agent/grpc/grpc_call.h"
#include "agent/grpc/grpc_headers.h"
#include "agent/grpc/grpc_message.h"
#include "agent/grpc/per_user_quota.h"
#include "agent/workloadapi/api_descriptions.h"
#include "agent/workloadapi/api_method.h"
#include "agent/workloadapi/claims_struct.h"

namespace kith {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string Slice(const GrpcMessage &message, size_t offset, size_t length) {
  std::string text;
  for (const auto &part : message.Slice(offset, length)) {
    text.append(reinterpret_cast<const char *>(part.data()), part.size());
  }
  return text;
}

std::shared_ptr<const GrpcMessage> Message(std::string_view text) {
  return std::make_shared<GrpcMessage>(text);
}

TEST_CASE("a message is its prefix, the plain part and the secret part") {
  const GrpcMessage message("plain", Secret::CopyFrom(Bytes("key")).value());
  const std::string whole = std::string("\0\0\0\0\10", 5) + "plainkey";
  REQUIRE(message.size() == whole.size());
  for (size_t offset = 0; offset <= whole.size(); ++offset) {
    for (size_t length = 0; offset + length <= whole.size(); ++length) {
      CHECK(Slice(message, offset, length) == whole.substr(offset, length));
    }
  }
}

TEST_CASE("a request is put together from any pieces") {
  const std::string whole = std::string("\0\0\0\0\3", 5) + "abc";
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    GrpcRequest request;
    REQUIRE(request.AppendAll(Bytes(whole.substr(0, cut))).ok());
    REQUIRE(request.AppendAll(Bytes(whole.substr(cut))).ok());
    CHECK(request.Take().value() == "abc");
  }
}

TEST_CASE("bad requests have the codes of gRPC") {
  const auto code_of = [](std::string_view text) {
    GrpcRequest request;
    const absl::Status status = request.AppendAll(Bytes(text)).status();
    return status.ok() ? request.Take().status().code() : status.code();
  };
  CHECK(code_of("") == StatusCode::kUnimplemented);
  CHECK(code_of(std::string("\0\0\0\0\1", 5)) == StatusCode::kInternal);
  CHECK(code_of(std::string("\1\0\0\0\0", 5)) == StatusCode::kUnimplemented);
  CHECK(code_of(std::string("\0\0\0\0\0\0", 6)) == StatusCode::kUnimplemented);
  CHECK(code_of("\xff\xff\xff\xff\xff") == StatusCode::kInternal);
  CHECK(code_of(std::string("\0\xff\xff\xff\xff", 5)) ==
        StatusCode::kResourceExhausted);
  CHECK(code_of(std::string("\0\0\0\100\0", 5)) == StatusCode::kInternal);
  CHECK(code_of(std::string("\0\0\0\100\1", 5)) ==
        StatusCode::kResourceExhausted);
}

TEST_CASE("a reply keeps what is begun and the newest after it") {
  GrpcReply reply;
  CHECK(reply.available() == 0);
  reply.Add(Message("one"));
  reply.Add(Message("two"));  // "one" was not begun
  REQUIRE(reply.available() == 8);
  CHECK(Slice(*reply.current(), reply.offset(), 8).substr(5) == "two");
  reply.Take(1);
  reply.Add(Message("three"));
  reply.Add(Message("four"));
  CHECK(reply.available() == 7);
  reply.End(absl::OkStatus());
  reply.End(absl::InternalError("too late"));
  CHECK(!reply.ends_after(7));
  reply.Take(7);
  REQUIRE(reply.available() == 9);
  CHECK(Slice(*reply.current(), 0, 9).substr(5) == "four");
  CHECK(reply.ends_after(9));
  reply.Take(9);
  CHECK(reply.ends_after(0));
  CHECK(reply.status()->ok());
  reply.Add(Message("never"));
  CHECK(reply.available() == 0);
}

TEST_CASE("timeouts have at most eight digits and a unit") {
  const auto timeout_of = [](std::string_view text) {
    GrpcHeaders headers;
    REQUIRE(headers.Add("grpc-timeout", text).ok());
    return headers.Timeout();
  };
  CHECK(!GrpcHeaders().Timeout().value().has_value());
  CHECK(timeout_of("250m").value() == milliseconds(250));
  CHECK(timeout_of("1H").value() == std::chrono::hours(1));
  CHECK(timeout_of("00000000n").value() == std::chrono::nanoseconds(0));
  CHECK(timeout_of("99999999H").value() > std::chrono::hours(24 * 365 * 99));
  for (const char *text :
       {"", "m", "1", "1s", "-1S", "+1S", "1.5S", "123456789S", " 1S", "S1"}) {
    CHECK(absl::IsInvalidArgument(timeout_of(text).status()));
  }
}

TEST_CASE("headers are counted as HTTP/2 does") {
  GrpcHeaders headers;
  const std::string value(GrpcHeaders::kMaxBytes - 33, 'v');
  CHECK(headers.Add("n", value).ok());
  CHECK(absl::IsResourceExhausted(headers.Add("n", "")));
}

TEST_CASE("of the headers only what is used is checked") {
  GrpcHeaders headers;
  CHECK(headers.Add(":authority", "/run/kith/workload.sock").ok());
  CHECK(headers.Add(":authority", "\xff|\x01").ok());
  CHECK(headers.Add(":scheme", "gopher").ok());
  CHECK(headers.Add(":path", "/a/b").ok());
  CHECK(absl::IsInvalidArgument(headers.Add(":path", "/c/d")));
  CHECK(headers.path() == "/a/b");
  CHECK(headers.Add(":method", "POST").ok());
  CHECK(absl::IsInvalidArgument(headers.Add(":method", "GET")));
}

TEST_CASE("messages are equal by their bytes, the secret ones too") {
  const auto with_key = [](std::string_view plain, std::string_view key) {
    return GrpcMessage(plain, Secret::CopyFrom(Bytes(key)).value());
  };
  CHECK(with_key("a", "k").Equals(with_key("a", "k")));
  CHECK_FALSE(with_key("a", "k").Equals(with_key("a", "l")));
  CHECK_FALSE(with_key("a", "k").Equals(with_key("b", "k")));
  CHECK_FALSE(with_key("a", "k").Equals(*Message("a")));
}

TEST_CASE("methods are found by their path alone") {
  CHECK(FindMethod("/SpiffeWorkloadAPI/FetchX509SVID").value()->answer ==
        ApiMethod::Answer::kX509Svid);
  CHECK(FindMethod("/SpiffeWorkloadAPI/FetchX509SVID")
            .value()
            ->needs_security_header);
  const std::pair<const char *, const char *> unknown[] = {
      {"", "unknown service "},
      {"/", "unknown service "},
      {"/no.such.Service/Method", "unknown service no.such.Service"},
      {"/SpiffeWorkloadAPI", "unknown method  for service SpiffeWorkloadAPI"},
      {"/SpiffeWorkloadAPI/FetchWITSVID",
       "unknown method FetchWITSVID for service SpiffeWorkloadAPI"},
      {"/SpiffeWorkloadAPI/FetchX509SVID/",
       "unknown method FetchX509SVID/ for service SpiffeWorkloadAPI"}};
  for (const auto &[path, message] : unknown) {
    const absl::Status status = FindMethod(path).status();
    CHECK(absl::IsUnimplemented(status));
    CHECK(status.message() == message);
  }
}

TEST_CASE("every service that is served is described") {
  const ApiDescriptions &descriptions = ApiDescriptions::Get();
  for (const std::string_view service : ServiceNames()) {
    INFO(service);
    const auto files = descriptions.OfSymbol(service);
    REQUIRE(files.ok());
    CHECK_FALSE(files->empty());
  }
  // With what it imports; a method and a field lead to the same file.
  const auto files = descriptions.OfSymbol(
      "envoy.service.secret.v3.SecretDiscoveryService.StreamSecrets");
  REQUIRE(files.ok());
  CHECK(files->size() >= 4);
  CHECK(descriptions.OfSymbol("X509SVID.x509_svid_key").value() ==
        descriptions.OfSymbol("SpiffeWorkloadAPI").value());
  CHECK(descriptions.OfFile("agent/workloadapi/spiffe_workload_api.proto")
            .value() == descriptions.OfSymbol("SpiffeWorkloadAPI").value());
  CHECK(absl::IsNotFound(descriptions.OfSymbol("SpiffeWorkload").status()));
  CHECK(absl::IsNotFound(descriptions.OfFile("nothing.proto").status()));
}

TEST_CASE("status messages are percent-encoded") {
  CHECK(PercentEncode("a b~") == "a b~");
  CHECK(PercentEncode("100%\r\n\xc3\xa9") == "100%25%0D%0A%C3%A9");
}

TEST_CASE("quota are bounded, in all and by user") {
  const auto quota = std::make_shared<PerUserQuota>(
      PerUserQuota::Bounds{.total = 3, .per_user = 2});
  auto first = quota->Take(1);
  auto second = quota->Take(1);
  CHECK(first.has_value());
  CHECK(second.has_value());
  CHECK(!quota->Take(1).has_value());
  auto third = quota->Take(2);
  CHECK(third.has_value());
  CHECK(!quota->Take(3).has_value());
  first.reset();
  CHECK(quota->Take(3).has_value());
  CHECK(quota->Take(1).has_value());
}

TEST_CASE("claims of every kind become a Struct") {
  claims::Struct read;
  REQUIRE(
      ReadClaims(R"({"a":[1,-2.5,"x",true,null,{}],"b":{"c":[]}})", read).ok());
  const auto &list = read.fields().at("a").list_value();
  REQUIRE(list.values_size() == 6);
  CHECK(list.values(0).number_value() == 1);
  CHECK(list.values(1).number_value() == -2.5);
  CHECK(list.values(2).string_value() == "x");
  CHECK(list.values(3).bool_value());
  CHECK(list.values(4).kind_case() == claims::Value::kNullValue);
  CHECK(list.values(5).kind_case() == claims::Value::kStructValue);
  CHECK(read.fields().at("b").struct_value().fields().at("c").kind_case() ==
        claims::Value::kListValue);
}

TEST_CASE("claims that are nested too deep are refused") {
  for (const char *bracket : {"[]", "{}"}) {
    std::string text = R"({"a":)";
    const bool list = bracket[0] == '[';
    for (int i = 0; i < 50'000; ++i) {
      text += list ? "[" : R"({"a":)";
    }
    text += list ? "" : "1";
    for (int i = 0; i < 50'000; ++i) {
      text += bracket[1];
    }
    text += "}";
    claims::Struct read;
    CHECK(absl::IsInvalidArgument(ReadClaims(text, read)));
  }
  claims::Struct read;
  CHECK(absl::IsInvalidArgument(ReadClaims("[]", read)));
  CHECK(absl::IsInvalidArgument(ReadClaims("{", read)));
}

}  // namespace
}  // namespace kith
