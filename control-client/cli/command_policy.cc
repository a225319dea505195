// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>

#include "agent/policy/resource_store.h"
#include "control-client/cli/command.h"
#include "control-client/cli/own_domains.h"
#include "control-client/cli/policy_lint.h"
#include "control-client/cli/printable.h"
#include "control-client/cli/terminal.h"

namespace kith {
namespace {

using Severity = LintFinding::Severity;

struct LintOptions {
  std::vector<std::string> files;
  std::string trust_domain;  // empty: what the documents say
  bool json = false;
};

// Lint is the result of one run; documents that fail to load have none.
struct Lint {
  absl::StatusOr<ResourceSet> resources;
  std::string trust_domain = {};  // empty: not known
  bool guessed = false;           // the domain, from peers
  std::vector<LintFinding> findings = {};

  bool ok() const {
    return resources.ok() &&
           std::none_of(
               findings.begin(), findings.end(), [](const auto &finding) {
                 return finding.severity == Severity::kError;
               });
  }
};

Lint LoadFor(const LintOptions &options,
             const std::string &trust_domain,
             bool guessed) {
  return {.resources = LoadResources(options.files, trust_domain),
          .trust_domain = trust_domain,
          .guessed = guessed};
}

LintFinding AboutDomains(Severity severity,
                         const char *kind,
                         const std::vector<std::string> &domains,
                         std::string_view message) {
  return {severity,
          kind,
          "",
          "",
          absl::StrCat(absl::StrJoin(domains, ", "), message)};
}

// Names in the documents are complete only once the own domain is known.
Lint Load(const LintOptions &options) {
  if (!options.trust_domain.empty()) {
    return LoadFor(options, options.trust_domain, false);
  }
  Lint lint{.resources = LoadResources(options.files, "")};
  if (!lint.resources.ok()) {
    return lint;
  }
  const OwnDomains named = OwnDomainsIn(*lint.resources);
  if (named.of_identities.size() == 1) {
    return LoadFor(options, named.of_identities.front(), false);
  }
  if (named.of_identities.size() > 1) {
    lint.findings.push_back(AboutDomains(
        Severity::kError,
        "two_trust_domains",
        named.of_identities,
        ": identities are in more than one trust domain; an agent has one"));
  } else if (named.of_peers.size() == 1) {
    return LoadFor(options, named.of_peers.front(), true);
  } else if (named.of_peers.size() > 1) {
    lint.findings.push_back(
        AboutDomains(Severity::kWarning,
                     "unknown_trust_domain",
                     named.of_peers,
                     ": any of them may be the own trust domain; "
                     "--trust-domain NAME says which, and who is foreign"));
  }
  return lint;
}

Lint RunLinter(const LintOptions &options) {
  Lint lint = Load(options);
  if (lint.resources.ok()) {
    for (auto &finding : LintResources(*lint.resources, lint.trust_domain)) {
      lint.findings.push_back(std::move(finding));
    }
  } else {
    lint.findings.push_back({Severity::kError,
                             "invalid",
                             "",
                             "",
                             std::string(lint.resources.status().message())});
  }
  return lint;
}

const char *SeverityName(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

void PutText(Json &json, const char *name, const std::string &text) {
  if (!text.empty()) {
    json[name] = text;
  }
}

Json LintJson(const Lint &lint) {
  Json json = Json::object();
  json["ok"] = lint.ok();
  PutText(json, "trustDomain", lint.trust_domain);
  if (lint.guessed) {
    json["trustDomainGuessed"] = true;
  }
  if (lint.resources.ok()) {
    json["identities"] = lint.resources->identities.size();
    json["services"] = lint.resources->services.size();
  }
  json["findings"] = Json::array();
  for (const LintFinding &finding : lint.findings) {
    Json row = Json::object();
    row["severity"] = SeverityName(finding.severity);
    row["kind"] = finding.kind;
    PutText(row, "subject", finding.subject);
    PutText(row, "origin", finding.origin);
    row["message"] = finding.message;
    json["findings"].push_back(std::move(row));
  }
  return json;
}

void PrintLint(const Lint &lint, CommandEnvironment &environment) {
  for (const LintFinding &finding : lint.findings) {
    const bool error = finding.severity == Severity::kError;
    environment.out << Styled(SeverityName(finding.severity),
                              error ? Style::kBad : Style::kWarning,
                              environment.colour)
                    << ": "
                    << Printable(
                           absl::StrCat(finding.origin,
                                        finding.origin.empty() ? "" : ": ",
                                        finding.subject,
                                        finding.subject.empty() ? "" : ": ",
                                        finding.message))
                    << '\n';
  }
  if (lint.guessed) {
    environment.out << "note: " << Printable(lint.trust_domain)
                    << " is taken for the own trust domain, for peers are in "
                       "it; --trust-domain NAME says another\n";
  }
  if (lint.ok()) {
    environment.out << "OK: " << lint.resources->identities.size()
                    << " identities, " << lint.resources->services.size()
                    << " services\n";
  }
}

int RunLint(const LintOptions &options, CommandEnvironment &environment) {
  const Lint lint = RunLinter(options);
  if (options.json) {
    PrintJson(environment.out, LintJson(lint));
  } else {
    PrintLint(lint, environment);
  }
  return lint.ok() ? kExitOk : kExitNegative;
}

}  // namespace

RunCommand AttachPolicy(CommandParser &parser) {
  CommandParser lint = parser.AddSubcommand(
      "lint", "load resource documents and report what is wrong with them");
  auto options = std::make_shared<LintOptions>();
  lint.AddOption("files",
                 options->files,
                 "documents, or directories of them",
                 {.value_name = "FILE", .required = true});
  lint.AddOption("--trust-domain",
                 options->trust_domain,
                 "the own trust domain; without it, the one that the "
                 "documents name as theirs",
                 {.value_name = "NAME"});
  AddJsonOption(lint, options->json);
  return [options](CommandEnvironment &environment) {
    return RunLint(*options, environment);
  };
}

}  // namespace kith
