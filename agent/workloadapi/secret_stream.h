// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/workloadapi/grpc_message.h"
#include "agent/workloadapi/workload_api.h"

namespace kith {

// IsOfSecrets returns whether a method is one of Envoy's secret discovery
// service.
bool IsOfSecrets(std::string_view path);

// SecretStream is the server's end of one stream of Envoy's secret discovery
// service, in the state-of-the-world form of xDS ("xDS REST and gRPC protocol"
// of Envoy's documentation, "ACK/NACK and versioning"): every response has all
// resources that the peer wants, and a nonce by which the peer takes (ACK) or
// refuses it (NACK). What was refused is not sent again until it changes.
class SecretStream {
 public:
  // Take reads a DiscoveryRequest. One that answers an earlier response than
  // the last one says nothing any more.
  absl::Status Take(std::string_view request);

  // Next returns the response that the peer does not have yet, or null. Errors
  // as of FindSecrets and of the source.
  absl::StatusOr<std::shared_ptr<const GrpcMessage>> Next(
      const SpiffeId &id, WorkloadApiSource &source);

  bool has_sent() const { return version_ > 0; }

 private:
  // What a response is made of.
  struct Contents {
    SpiffeId id;
    std::set<std::string> names;
    std::shared_ptr<const X509Svid> svid;  // null: no certificate is wanted
    std::shared_ptr<const TrustBundle> bundle;  // null: nothing else is
    bool operator==(const Contents &) const = default;
  };

  std::set<std::string> names_;
  Contents sent_;
  uint64_t version_ = 0;  // of the last response, and its nonce
};

}  // namespace kith
