// SPDX-License-Identifier: Apache-2.0
#include "agent/issuer/jwt_key_orders.h"

#include <type_traits>

#include "agent/issuer/ca_directory.h"
#include "agent/issuer/jwt_keys.h"

namespace kith {
namespace {

// WithJwtKeys returns the result of `use`, under the directory's lock.
template <typename Use>
std::invoke_result_t<Use, CaDirectory &, JwtKeys &> WithJwtKeys(
    const std::string &directory, Clock::TimePoint now, Use use) {
  absl::StatusOr<CaDirectory> files = CaDirectory::Open(directory);
  if (!files.ok()) {
    return files.status();
  }
  absl::StatusOr<JwtKeys> keys = JwtKeys::LoadAndRotate(*files, now);
  if (!keys.ok()) {
    return keys.status();
  }
  return use(*files, *keys);
}

}  // namespace

absl::StatusOr<std::vector<JwtKeyRecord>> ListJwtKeys(
    const std::string &directory, Clock::TimePoint now) {
  return WithJwtKeys(
      directory,
      now,
      [now](CaDirectory &,
            JwtKeys &keys) -> absl::StatusOr<std::vector<JwtKeyRecord>> {
        return keys.List(now);
      });
}

absl::StatusOr<std::string> RotateJwtKey(const std::string &directory,
                                         bool at_once,
                                         Clock::TimePoint now) {
  return WithJwtKeys(
      directory, now, [at_once, now](CaDirectory &files, JwtKeys &keys) {
        return keys.Rotate(files, at_once, now);
      });
}

absl::Status RevokeJwtKey(const std::string &directory,
                          const std::string &id,
                          Clock::TimePoint now) {
  return WithJwtKeys(
      directory, now, [&id, now](CaDirectory &files, JwtKeys &keys) {
        return keys.Revoke(files, id, now);
      });
}

}  // namespace kith
