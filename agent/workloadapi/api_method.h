// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/grpc/grpc_method.h"

namespace kith {

// ApiMethod is one method that is served on the Workload API's socket.
struct ApiMethod {
  enum class Answer {
    kX509Svid,
    kX509Bundles,
    kJwtSvid,
    kJwtBundles,
    kValidateJwt,
    kSecrets,
    kSecretChanges,
    kSecretsOnce,
    kTypedSecrets,  // of a stream that may have other types
    kTypedSecretChanges,
    kReflection,
    kHealth,
    kHealthList,
    kHealthWatch,
  };

  std::string_view service;
  std::string_view name;
  Answer answer;
  GrpcMethod requests = {};
  // Whether a call needs the metadata that web pages cannot set across origins,
  // so that browsers cannot call (SPIFFE Workload Endpoint, section 6.1).
  bool needs_security_header = false;
};

// FindMethod returns the method of a path, or Unimplemented with the message
// that other servers use.
absl::StatusOr<const ApiMethod *> FindMethod(std::string_view path);

// ServiceNames returns the services that have methods, sorted.
std::span<const std::string_view> ServiceNames();

}  // namespace kith
