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

// WrittenFiles is the content of the files of one place.
struct WrittenFiles {
  std::shared_ptr<const WorkloadIdentity> identity;  // asks for them
  std::shared_ptr<const X509Svid> svid;
  std::shared_ptr<const TrustBundle> bundle;
  // When each token was issued, by the name of its file, and the keys in force
  // at that time.
  std::map<std::string, std::chrono::system_clock::time_point> tokens;
  std::vector<JwtAuthority> jwt_keys;
  std::string error;  // the last logged one
};

// HaveSameFiles returns whether files of `a` stay correct if `b` applies.
bool HaveSameFiles(const WorkloadIdentity &a, const WorkloadIdentity &b);

// WriteX509Files writes key.pem, svid.pem and bundle.pem if their content
// changes.
absl::Status WriteX509Files(SvidStore &svids,
                            MemoryDirectory &directory,
                            const FilePlace &place,
                            const std::shared_ptr<const X509Svid> &svid,
                            WrittenFiles &written);

// WriteTokenFiles writes the JWT-SVIDs that are past half of their lifetime, or
// whose key may have been withdrawn. Blocks on the issuer.
absl::Status WriteTokenFiles(SvidStore &svids,
                             MemoryDirectory &directory,
                             const FilePlace &place,
                             WrittenFiles &written);

}  // namespace kith
