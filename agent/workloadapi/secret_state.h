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

// SecretState is a resource as it is now.
struct SecretState {
  std::string name;
  std::string version;  // another one when the contents are others
  std::shared_ptr<const X509Svid> svid;  // of a certificate
  std::string context;                   // of anything else, serialized
};

// CurrentSecrets returns what is wanted, as it is now, sorted by name. Errors
// as of FindSecrets and of the source.
absl::StatusOr<std::vector<SecretState>> CurrentSecrets(
    const SecretNames &wanted, const SpiffeId &id, WorkloadApiSource &source);

}  // namespace kith
