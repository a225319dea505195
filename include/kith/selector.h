// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace kith {

// Selector is one attested fact of a process, e.g. `process:name` = `nginx`.
// A key may occur several times (a process has several groups).
struct Selector {
  std::string key;
  std::string value;
  std::string source;  // where it was read, e.g. "/proc/42/exe"; for explain
};

// AttestorFailure says why an attestor yields no selectors of its kind.
struct AttestorFailure {
  std::string attestor;
  absl::Status status;
};

// Attestation is everything known about one process at one moment.
struct Attestation {
  std::vector<Selector> selectors;
  std::vector<AttestorFailure> failures;
};

}  // namespace kith
