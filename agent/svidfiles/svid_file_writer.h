// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "agent/identity/svid_store.h"
#include "agent/svidfiles/memory_directory.h"
#include "kith/resource.h"

namespace kith {

// WrittenFiles is what the files of one place say.
struct WrittenFiles {
  std::shared_ptr<const WorkloadIdentity> identity;  // that asked for them
  std::shared_ptr<const X509Svid> svid;
  std::shared_ptr<const TrustBundle> bundle;
  // When each token was issued, by the name of its file, and the keys that were
  // in force then.
  std::map<std::string, std::chrono::system_clock::time_point> tokens;
  std::vector<JwtAuthority> jwt_keys;
  std::string error;  // the last one that was logged
};

// HaveSameFiles returns whether files of `a` may stay where `b` is in force.
bool HaveSameFiles(const WorkloadIdentity &a, const WorkloadIdentity &b);

// WriteX509Files writes key.pem, svid.pem and bundle.pem unless they say that
// already.
absl::Status WriteX509Files(SvidStore &svids,
                            MemoryDirectory &directory,
                            const FilePlace &place,
                            const std::shared_ptr<const X509Svid> &svid,
                            WrittenFiles &written);

// WriteTokenFiles writes the JWT-SVIDs that have lived for half of their time,
// or whose key may have been withdrawn. Blocks on the issuer.
absl::Status WriteTokenFiles(SvidStore &svids,
                             MemoryDirectory &directory,
                             const FilePlace &place,
                             WrittenFiles &written);

}  // namespace kith
