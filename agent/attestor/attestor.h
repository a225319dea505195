// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "agent/attestor/process_view.h"
#include "kith/selector.h"

namespace kith {

// Attestor finds out one kind of facts. Thread-safe. To add one: implement
// this, and add it to the list in workload_attestor.cc.
class Attestor {
 public:
  virtual ~Attestor() = default;

  // name is for people: "process cmdline".
  virtual std::string_view name() const = 0;

  // keys are the selector keys that it answers for. They are unknown if it
  // fails.
  virtual std::vector<std::string> keys() const = 0;

  // Attest appends the process's selectors, or says why it cannot: NotFound if
  // the process has no such fact, another code if it is unknown. What was
  // appended before an error is thrown away.
  virtual absl::Status Attest(const ProcessView &process,
                              std::vector<Selector> &selectors) const = 0;
};

}  // namespace kith
