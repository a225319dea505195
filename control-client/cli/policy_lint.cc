// SPDX-License-Identifier: Apache-2.0
#include "control-client/cli/policy_lint.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "agent/policy/identity_match.h"
#include "control-client/cli/selector_overlap.h"

namespace kith {
namespace {

using Severity = LintFinding::Severity;
using IdentityPtr = std::shared_ptr<const WorkloadIdentity>;

std::string Describe(const SelectorMap &map) {
  std::string text;
  for (const SelectorTerm &term : map) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", term.key);
  }
  return text;
}

// Linter collects the findings of one set of documents.
class Linter {
 public:
  Linter(const ResourceSet &resources, const std::string &trust_domain)
      : resources_(resources), trust_domain_(trust_domain) {}

  std::vector<LintFinding> Run() {
    const auto &identities = resources_.identities;
    for (size_t i = 0; i < identities.size(); ++i) {
      for (size_t j = i + 1; j < identities.size(); ++j) {
        LintTie(identities[i], identities[j]);
      }
      LintIdentity(*identities[i]);
    }
    for (const auto &service : resources_.services) {
      if (service->addresses.empty()) {
        Warn("no_addresses",
             *service,
             "names no address, so that no flow is "
             "ever one to this Service");
      }
    }
    std::stable_partition(
        findings_.begin(), findings_.end(), [](const LintFinding &finding) {
          return finding.severity == Severity::kError;
        });
    return std::move(findings_);
  }

 private:
  // The policy itself judges the witness: documents that agree do not tie.
  void LintTie(const IdentityPtr &one, const IdentityPtr &other) {
    const ResourceSet both{.identities = {one, other}, .services = {}};
    for (const SelectorMap &map : one->selectors) {
      for (const SelectorMap &rival : other->selectors) {
        const auto witness = FindWitness(map, rival);
        if (witness &&
            !ChooseIdentity(both, witness->process, witness->destination_port)
                 .tied.empty()) {
          ReportTie(*one, *other, map);
          return;
        }
      }
    }
  }

  void ReportTie(const WorkloadIdentity &one,
                 const WorkloadIdentity &other,
                 const SelectorMap &map) {
    findings_.push_back(
        {Severity::kError,
         "tie",
         one.name,
         one.origin,
         absl::StrCat("a process can match this and ",
                      other.name,
                      " (",
                      other.origin,
                      ") equally well, by ",
                      Describe(map),
                      ": its flows would be refused; add a selector to one of "
                      "them")});
  }

  void LintIdentity(const WorkloadIdentity &identity) {
    if (identity.selectors.empty()) {
      findings_.push_back({Severity::kError,
                           "no_selectors",
                           identity.name,
                           identity.origin,
                           "has no selectors, so that no process gets it"});
    }
    LintEgress(identity);
    LintIngress(identity);
    LintPeers(identity, "inbound", identity.allowed_inbound);
    LintPeers(identity, "outbound", identity.allowed_outbound);
  }

  void LintEgress(const WorkloadIdentity &identity) {
    for (size_t i = 0; i < identity.egress.size(); ++i) {
      const auto &labels = identity.egress[i].service_labels;
      const bool known =
          std::any_of(resources_.services.begin(),
                      resources_.services.end(),
                      [&](const auto &service) {
                        return CoversAll(labels, {service->labels});
                      });
      if (!known) {
        Warn("unreachable_egress",
             identity,
             absl::StrCat("egress[", i, "] selects no Service"));
      }
      for (size_t earlier = 0; earlier < i; ++earlier) {
        if (CoversAll(identity.egress[earlier].service_labels, labels)) {
          Warn("unreachable_egress",
               identity,
               absl::StrCat("egress[",
                            i,
                            "] is never used: egress[",
                            earlier,
                            "] selects the same Services before it"));
          break;
        }
      }
    }
  }

  void LintIngress(const WorkloadIdentity &identity) {
    for (size_t i = 1; i < identity.ingress.size(); ++i) {
      for (size_t earlier = 0; earlier < i; ++earlier) {
        if (CoversAll(identity.ingress[earlier].selectors,
                      identity.ingress[i].selectors)) {
          Warn("unreachable_ingress",
               identity,
               absl::StrCat("ingress[",
                            i,
                            "] is never used: ingress[",
                            earlier,
                            "] selects its ports before it"));
          break;
        }
      }
    }
  }

  // Lint cannot know whether another trust domain has the peer.
  void LintPeers(const WorkloadIdentity &identity,
                 const char *direction,
                 const AllowedPeers &allowed) {
    if (!allowed) {
      return;
    }
    for (const std::string &peer : *allowed) {
      LintFederation(identity, direction, peer);
      const auto id = SpiffeId::Parse(peer);
      if (id.ok() && id->trust_domain() == trust_domain_ && !IsDefined(*id)) {
        Warn("unknown_peer",
             identity,
             absl::StrCat("allowedSPIFFEIDs.",
                          direction,
                          " has ",
                          peer,
                          ", which none of these documents defines"));
      }
    }
  }

  void LintFederation(const WorkloadIdentity &identity,
                      const char *direction,
                      std::string_view peer) {
    const auto id = SpiffeId::Parse(absl::StripSuffix(peer, "/*"));
    if (id.ok() && IsForeign(std::string(id->trust_domain())) &&
        !std::ranges::binary_search(identity.federates_with,
                                    id->trust_domain())) {
      Warn("not_federated",
           identity,
           absl::StrCat("allowedSPIFFEIDs.",
                        direction,
                        " has ",
                        peer,
                        ", but federatesWith has not its trust domain: it is "
                        "refused"));
    }
  }

  // If the own domain is unknown, foreign domains are those with which any
  // identity federates.
  bool IsForeign(const std::string &domain) const {
    if (!trust_domain_.empty()) {
      return domain != trust_domain_;
    }
    const auto &identities = resources_.identities;
    return std::any_of(
        identities.begin(), identities.end(), [&](const auto &identity) {
          return std::ranges::binary_search(identity->federates_with, domain);
        });
  }

  bool IsDefined(const SpiffeId &id) const {
    const auto &identities = resources_.identities;
    return std::any_of(
        identities.begin(), identities.end(), [&](const auto &identity) {
          return identity->spiffe_id == id;
        });
  }

  template <typename Document>
  void Warn(const char *kind, const Document &document, std::string message) {
    findings_.push_back({Severity::kWarning,
                         kind,
                         document.name,
                         document.origin,
                         std::move(message)});
  }

  const ResourceSet &resources_;
  const std::string &trust_domain_;
  std::vector<LintFinding> findings_;
};

}  // namespace

std::vector<LintFinding> LintResources(const ResourceSet &resources,
                                       const std::string &trust_domain) {
  return Linter(resources, trust_domain).Run();
}

}  // namespace kith
