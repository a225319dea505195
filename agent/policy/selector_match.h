// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kith/resource.h"
#include "kith/selector.h"

namespace kith {

// ValueMatches compares a prefix for process:cmdline, else whole values.
bool ValueMatches(std::string_view key,
                  std::string_view wanted,
                  std::string_view observed);

// Match is three-valued: after an attestor failed, the process may or may not
// have the fact, and neither may be concluded.
enum class Match { kNo, kUnknown, kYes };

// FailureOf returns why the facts of `key` are unknown, or null if they are
// known (also if the process is known to have none).
const AttestorFailure *FailureOf(std::string_view key,
                                 const Attestation &attestation);

// MatchTerm answers for one key of a map.
Match MatchTerm(const SelectorTerm &term,
                const Attestation &attestation,
                std::optional<uint16_t> destination_port);

// MatchMap returns whether every term is satisfied. Without a port, terms on
// destination:port count as satisfied.
Match MatchMap(const SelectorMap &map,
               const Attestation &attestation,
               std::optional<uint16_t> destination_port);

// PortMatches answers for the maps of an ingress rule.
bool PortMatches(const SelectorMap &map, uint16_t destination_port);

}  // namespace kith
