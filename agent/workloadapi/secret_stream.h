// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/grpc/grpc_message.h"
#include "agent/workloadapi/secret_resources.h"
#include "agent/workloadapi/workload_api.h"

namespace kith {

// SecretStream is the server's end of one stream of Envoy's secret discovery
// service ("xDS REST and gRPC protocol" of Envoy's documentation).
class SecretStream {
 public:
  using Message = std::shared_ptr<const GrpcMessage>;

  virtual ~SecretStream() = default;

  // Take reads a request.
  virtual absl::Status Take(std::string_view request) = 0;

  // Next returns the response that the peer does not have yet, or null. Errors
  // are those of FindSecrets and of the source.
  virtual absl::StatusOr<Message> Next(const SpiffeId &id,
                                       WorkloadApiSource &source) = 0;

  // has_answered tells whether Next has had an answer once.
  virtual bool has_answered() const = 0;

  // sends_states tells whether a response may replace one that the peer has not
  // received.
  virtual bool sends_states() const = 0;
};

// SecretTypeUrl says whether requests must name a type. Requests on streams of
// several types of resources name one, and other types are ignored; those of
// the secret discovery service may omit it, and have no other.
enum class SecretTypeUrl { kOptional, kRequired };

// WholeSecretStream uses the state-of-the-world form ("ACK/NACK and
// versioning"): every response has all resources that the peer wants, and a
// nonce by which the peer accepts (ACK) or refuses it (NACK). A refused
// response is not sent again until it changes.
class WholeSecretStream final : public SecretStream {
 public:
  explicit WholeSecretStream(SecretTypeUrl type) : type_(type) {}

  // Take ignores a request that answers an earlier response than the last one.
  absl::Status Take(std::string_view request) override;
  absl::StatusOr<Message> Next(const SpiffeId &id,
                               WorkloadApiSource &source) override;
  bool has_answered() const override { return version_ > 0; }
  bool sends_states() const override { return true; }

 private:
  const SecretTypeUrl type_;
  SecretNames wanted_;
  bool has_named_ = false;  // afterwards, no names mean nothing
  std::map<std::string, std::string> sent_;  // name -> version
  uint64_t version_ = 0;  // of the last response, and its nonce
};

// ChangingSecretStream uses the incremental form ("Incremental xDS"): a request
// adds or removes names, a response has the changed and removed resources, and
// a reconnecting peer lists what it has.
class ChangingSecretStream final : public SecretStream {
 public:
  explicit ChangingSecretStream(SecretTypeUrl type) : type_(type) {}

  absl::Status Take(std::string_view request) override;
  absl::StatusOr<Message> Next(const SpiffeId &id,
                               WorkloadApiSource &source) override;
  bool has_answered() const override { return has_answered_; }
  bool sends_states() const override { return false; }

 private:
  // Drops names of resources that existed before and do not exist any more.
  absl::StatusOr<SecretNames> StillThere(const SpiffeId &id,
                                         WorkloadApiSource &source) const;

  const SecretTypeUrl type_;
  SecretNames wanted_;
  bool asked_ = false;
  bool has_answered_ = false;
  std::set<std::string> resolved_;           // of wanted_.names, once
  std::map<std::string, std::string> sent_;  // name -> version
  uint64_t nonce_ = 0;
};

}  // namespace kith
