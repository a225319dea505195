// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kith/resource.h"

namespace kith {

// LintFinding is one mistake in a valid set of documents.
struct LintFinding {
  enum class Severity { kError, kWarning };
  Severity severity = Severity::kError;
  std::string kind;     // stable: "tie", "no_selectors", ...; see README.md
  std::string subject;  // name of the document
  std::string origin;   // "file:line"
  std::string message;
};

// LintResources returns the findings, errors first:
//   tie (error)                  two identities that some process matches
//                                equally well: the same keys with values in
//                                common
//   no_selectors (error)         an identity that no process can get
//   unreachable_egress (warning) no Service, or an earlier entry, has it
//   unreachable_ingress (warning) an earlier entry has its ports
//   no_addresses (warning)       a Service that names no destination
//   unknown_peer (warning)       an allowed SPIFFE ID that no document defines
std::vector<LintFinding> LintResources(const ResourceSet &resources,
                                       const std::string &trust_domain);

}  // namespace kith
