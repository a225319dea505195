// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/api_method.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kith {
namespace {

using Answer = ApiMethod::Answer;

// The SPIFFE Workload API has no package.
constexpr std::string_view kSpiffe = "SpiffeWorkloadAPI";
constexpr std::string_view kSecrets =
    "envoy.service.secret.v3.SecretDiscoveryService";
constexpr std::string_view kAggregated =
    "envoy.service.discovery.v3.AggregatedDiscoveryService";
constexpr std::string_view kHealth = "grpc.health.v1.Health";
constexpr std::string_view kReflection = "grpc.reflection.v1.ServerReflection";
constexpr std::string_view kReflectionAlpha =
    "grpc.reflection.v1alpha.ServerReflection";

constexpr std::array kServices = {
    kSpiffe, kAggregated, kSecrets, kHealth, kReflection, kReflectionAlpha};

constexpr GrpcMethod kSmall{};
constexpr GrpcMethod kLarge{.max_request_bytes = GrpcRequest::kMaxLargeBytes};
// Its requests have a name, which a reply repeats.
constexpr GrpcMethod kManyTiny{.many_requests = true,
                               .max_request_bytes = size_t{1} << 10};
constexpr GrpcMethod kManyLarge{
    .many_requests = true, .max_request_bytes = GrpcRequest::kMaxLargeBytes};

// Clients of Envoy's services and those of gRPC send no security header.
// Browsers cannot call them: they would have to speak HTTP/2 to a Unix socket.
constexpr std::array kMethods = {
    ApiMethod{kSpiffe, "FetchX509SVID", Answer::kX509Svid, kSmall, true},
    ApiMethod{kSpiffe, "FetchX509Bundles", Answer::kX509Bundles, kSmall, true},
    ApiMethod{kSpiffe, "FetchJWTSVID", Answer::kJwtSvid, kSmall, true},
    ApiMethod{kSpiffe, "FetchJWTBundles", Answer::kJwtBundles, kSmall, true},
    ApiMethod{kSpiffe, "ValidateJWTSVID", Answer::kValidateJwt, kSmall, true},
    ApiMethod{kSecrets, "StreamSecrets", Answer::kSecrets, kManyLarge},
    ApiMethod{kSecrets, "DeltaSecrets", Answer::kSecretChanges, kManyLarge},
    ApiMethod{kSecrets, "FetchSecrets", Answer::kSecretsOnce, kLarge},
    ApiMethod{kAggregated,
              "StreamAggregatedResources",
              Answer::kTypedSecrets,
              kManyLarge},
    ApiMethod{kAggregated,
              "DeltaAggregatedResources",
              Answer::kTypedSecretChanges,
              kManyLarge},
    ApiMethod{kHealth, "Check", Answer::kHealth},
    ApiMethod{kHealth, "List", Answer::kHealthList},
    ApiMethod{kHealth, "Watch", Answer::kHealthWatch},
    ApiMethod{
        kReflection, "ServerReflectionInfo", Answer::kReflection, kManyTiny},
    ApiMethod{kReflectionAlpha,
              "ServerReflectionInfo",
              Answer::kReflection,
              kManyTiny},
};

}  // namespace

absl::StatusOr<const ApiMethod *> FindMethod(std::string_view path) {
  std::string_view rest = path;
  (void)absl::ConsumePrefix(&rest, "/");
  const std::string_view service = rest.substr(0, rest.find('/'));
  rest.remove_prefix(std::min(rest.size(), service.size() + 1));
  for (const ApiMethod &method : kMethods) {
    if (method.service == service && method.name == rest) {
      return &method;
    }
  }
  if (std::ranges::count(kServices, service) == 0) {
    return absl::UnimplementedError(absl::StrCat("unknown service ", service));
  }
  return absl::UnimplementedError(
      absl::StrCat("unknown method ", rest, " for service ", service));
}

std::span<const std::string_view> ServiceNames() {
  return kServices;
}

}  // namespace kith
