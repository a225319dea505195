// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "absl/status/statusor.h"

#include "agent/grpc/grpc_message.h"
#include "agent/identity/trust_bundle.h"
#include "agent/identity/x509_svid.h"

namespace kith {

// WorkloadMessages serializes the states that streams push, once for all
// streams with the same state: an unchanged state is the same object. Confined
// to one event loop.
class WorkloadMessages {
 public:
  using Message = std::shared_ptr<const GrpcMessage>;
  using Svid = std::shared_ptr<const X509Svid>;
  using Bundle = std::shared_ptr<const TrustBundle>;

  // OfSvid returns the X509SVIDResponse with one SVID and its key.
  absl::StatusOr<Message> OfSvid(const Svid &svid, const Bundle &bundle);

  // OfX509Bundles returns the X509BundlesResponse.
  absl::StatusOr<Message> OfX509Bundles(const Bundle &bundle);

  // OfJwtBundles returns the JWTBundlesResponse.
  absl::StatusOr<Message> OfJwtBundles(const Bundle &bundle);

  // Retain drops the keys of SVIDs that are no longer in use.
  void Retain(const std::function<bool(const Svid &)> &in_use);

 private:
  struct SvidEntry {
    Svid svid;
    Bundle bundle;
    Message message;
  };
  using BundleEntries = std::map<Bundle, Message>;

  std::map<SpiffeId, SvidEntry> svids_;
  BundleEntries x509_bundles_;
  BundleEntries jwt_bundles_;
};

}  // namespace kith
