// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "agent/identity/x509_svid.h"
#include "agent/workloadapi/secret_resources.h"
#include "agent/workloadapi/workload_api.h"

namespace kith {

// SecretState is the current state of a resource.
struct SecretState {
  std::string name;
  std::string version;                   // differs when the contents differ
  std::shared_ptr<const X509Svid> svid;  // of a certificate
  std::string context;                   // of any other resource, serialized
};

// CurrentSecrets returns the current state of the wanted resources, sorted by
// name. Errors are those of FindSecrets and of the source.
absl::StatusOr<std::vector<SecretState>> CurrentSecrets(
    const SecretNames &wanted, const SpiffeId &id, WorkloadApiSource &source);

}  // namespace kith
