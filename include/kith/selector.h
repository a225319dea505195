// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace kith {

// Selector is one attested fact of a process, e.g. `process:name` = `nginx`. A
// key may occur several times (a process has several groups; its name is both
// its comm and the base name of its executable). A value has any bytes but NUL:
// a process chooses its arguments and file names, so that line breaks and
// invalid UTF-8 occur.
struct Selector {
  std::string key;
  std::string value;
  std::string source;  // where it was read, e.g. "/proc/42/exe"; for explain
};

// AttestorFailure says why an attestor yields no selectors of its kind.
// NotFound: the process has none (a kernel thread has no executable). Any other
// code: the process may have any value of `keys`, so that the caller must not
// conclude "does not match".
struct AttestorFailure {
  std::string attestor;  // e.g. "process binary hash"
  absl::Status status;
  std::vector<std::string> keys;  // e.g. "process:binary:hash"
};

// Attestation holds all known facts about one process at one moment.
struct Attestation {
  std::vector<Selector> selectors;
  std::vector<AttestorFailure> failures;
};

}  // namespace kith
