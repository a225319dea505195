// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "agent/admin/json_text.h"

namespace kith {

// AdminClient calls the agent through its admin socket. Unavailable: no agent
// answers there (the message says what to do); any other error is the agent's
// own answer.
class AdminClient {
 public:
  using Parameters = std::multimap<std::string, std::string>;
  // Bound of a line of a stream; an agent sends no longer ones.
  static constexpr size_t kMaxLine = 1024 * 1024;

  static std::unique_ptr<AdminClient> Create(const std::string &socket);
  virtual ~AdminClient() = default;

  virtual absl::StatusOr<Json> Get(const std::string &path,
                                   const Parameters &parameters = {}) = 0;
  virtual absl::StatusOr<Json> Put(const std::string &path,
                                   const Json &body) = 0;

  // Stream calls `on_line` for each line of the answer until it returns false,
  // the agent ends the answer, or Cancel.
  virtual absl::Status Stream(
      const std::string &path,
      const Parameters &parameters,
      const std::function<bool(std::string_view)> &on_line) = 0;

  // Cancel makes a running Stream return OK soon. Thread-safe.
  virtual void Cancel() = 0;
};

}  // namespace kith
