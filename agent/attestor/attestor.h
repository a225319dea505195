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

// Attestor determines one kind of facts. Thread-safe. To add one: implement
// this, and add it to the list in workload_attestor.cc.
class Attestor {
 public:
  virtual ~Attestor() = default;

  // name is for people: "process cmdline".
  virtual std::string_view name() const = 0;

  // keys are the selector keys that the attestor yields. They are unknown if it
  // fails.
  virtual std::vector<std::string> keys() const = 0;

  // Attest appends the process's selectors, or says why it cannot: NotFound if
  // the process has no such fact, another code if the fact is unknown.
  // Selectors that were appended before an error are dropped.
  virtual absl::Status Attest(const ProcessView &process,
                              std::vector<Selector> &selectors) const = 0;
};

}  // namespace kith
