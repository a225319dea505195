// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/untouched.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

#include "agent/policy/flow_policy.h"
#include "agent/policy/identity_match.h"
#include "agent/policy/selector_keys.h"
#include "agent/policy/selector_match.h"

namespace kith {
namespace {

// Identities are chosen for each port that a document names. For a process with
// more ports than this, the hooks ask about each flow.
constexpr size_t kMostPorts = 64;

// Stands for all ports that no document names: no document can name 0.
constexpr uint16_t kAnyOtherPort = 0;

bool IsUntouched(const EgressRule &rule) {
  return rule.tls.mode.value_or(TlsMode::kDisable) == TlsMode::kDisable;
}

bool IsUntouched(const IngressRule &rule) {
  return rule.tls.mode.value_or(TlsMode::kDisable) == TlsMode::kDisable;
}

// For every destination: a Service may have any address.
bool LeavesOutbound(const WorkloadIdentity &identity) {
  return identity.mode == TlsMode::kDisable &&
         std::ranges::all_of(identity.egress, [](const auto &rule) {
           return IsUntouched(rule);
         });
}

bool LeavesInbound(const WorkloadIdentity &identity) {
  return identity.mode == TlsMode::kDisable &&
         std::ranges::all_of(identity.ingress, [](const auto &rule) {
           return IsUntouched(rule);
         });
}

ResourceSet Possible(const ResourceSet &resources,
                     const Attestation &attestation) {
  ResourceSet possible;
  std::ranges::copy_if(
      resources.identities,
      std::back_inserter(possible.identities),
      [&](const auto &identity) {
        return std::ranges::any_of(
            identity->selectors, [&](const SelectorMap &map) {
              return MatchMap(map, attestation, std::nullopt) != Match::kNo;
            });
      });
  return possible;
}

void AddPorts(const std::vector<SelectorMap> &maps, std::set<uint16_t> &ports) {
  for (const SelectorMap &map : maps) {
    for (const SelectorTerm &term : map) {
      for (const std::string &value : term.values) {
        uint32_t port = 0;
        if (term.key == kDestinationPort && absl::SimpleAtoi(value, &port)) {
          ports.insert(static_cast<uint16_t>(port));
        }
      }
    }
  }
}

// One port for each different answer of policy.
std::set<uint16_t> PortsOf(const ResourceSet &resources) {
  std::set<uint16_t> ports = {kAnyOtherPort};
  for (const auto &identity : resources.identities) {
    AddPorts(identity->selectors, ports);
    for (const IngressRule &rule : identity->ingress) {
      AddPorts(rule.selectors, ports);
    }
  }
  return ports;
}

Untouched AtPort(const ResourceSet &resources,
                 const Attestation &attestation,
                 uint16_t port) {
  const IdentityChoice choice = ChooseIdentity(resources, attestation, port);
  if (!choice.tied.empty() || !choice.undetermined.empty()) {
    return {};
  }
  if (choice.identity == nullptr) {
    return {.outbound = true, .inbound = true};
  }
  return {
      .outbound = LeavesOutbound(*choice.identity),
      .inbound = InboundRule(*choice.identity, port).mode == TlsMode::kDisable};
}

// The facts that a process controls hold as they were attested, as for its own
// connections; exec is noticed.
bool MayChangeUnnoticed(const SelectorTerm &term) {
  return term.key != kDestinationPort && term.key != "process:name" &&
         term.key != kProcessCmdline &&
         !absl::StartsWith(term.key, "process:binary:") &&
         !absl::StartsWith(term.key, "linuxos:") && !IsFutureKey(term.key);
}

bool MayComeToMatch(const SelectorMap &map, const Attestation &attestation) {
  return std::ranges::all_of(map, [&](const SelectorTerm &term) {
    return MayChangeUnnoticed(term) ||
           MatchTerm(term, attestation, std::nullopt) != Match::kNo;
  });
}

// A process may call listen() as root and serve as another user.
bool StaysUntouched(const ResourceSet &resources,
                    const Attestation &attestation) {
  return std::ranges::all_of(resources.identities, [&](const auto &identity) {
    return LeavesInbound(*identity) ||
           std::ranges::none_of(identity->selectors,
                                [&](const SelectorMap &map) {
                                  return MayComeToMatch(map, attestation);
                                });
  });
}

}  // namespace

Untouched FindUntouched(const ResourceSet &resources,
                        const Attestation &attestation) {
  const ResourceSet possible = Possible(resources, attestation);
  const std::set<uint16_t> ports = PortsOf(possible);
  if (ports.size() > kMostPorts) {
    return {};
  }
  Untouched untouched{.outbound = true, .inbound = true};
  for (const uint16_t port : ports) {
    const Untouched here = AtPort(possible, attestation, port);
    untouched.outbound = untouched.outbound && here.outbound;
    untouched.inbound = untouched.inbound && here.inbound;
  }
  untouched.inbound =
      untouched.inbound && StaysUntouched(resources, attestation);
  return untouched;
}

}  // namespace kith
