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

// Lint is what one run found; documents that cannot be loaded have no findings.
struct Lint {
  absl::StatusOr<ResourceSet> resources;
  std::string trust_domain = {};  // empty: not known
  std::vector<LintFinding> findings = {};

  bool ok() const {
    return resources.ok() &&
           std::none_of(
               findings.begin(), findings.end(), [](const auto &finding) {
                 return finding.severity == Severity::kError;
               });
  }
};

// Documents complete each other's names only once the own domain is known.
Lint Load(const LintOptions &options) {
  if (!options.trust_domain.empty()) {
    return {.resources = LoadResources(options.files, options.trust_domain),
            .trust_domain = options.trust_domain};
  }
  Lint lint{.resources = LoadResources(options.files, "")};
  const std::vector<std::string> named = lint.resources.ok()
                                             ? OwnDomainsIn(*lint.resources)
                                             : std::vector<std::string>();
  if (named.size() == 1) {
    return {.resources = LoadResources(options.files, named.front()),
            .trust_domain = named.front()};
  }
  if (named.size() > 1) {
    lint.findings.push_back(
        {Severity::kWarning,
         "unknown_trust_domain",
         "",
         "",
         absl::StrCat("any of ",
                      absl::StrJoin(named, ", "),
                      " may be the own trust domain; --trust-domain NAME says "
                      "which, and who of the peers is foreign")});
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

RunCommand AttachPolicy(CLI::App &parser) {
  CLI::App *lint = parser.add_subcommand(
      "lint", "load resource documents and report what is wrong with them");
  auto options = std::make_shared<LintOptions>();
  lint->add_option("files", options->files, "documents, or directories of them")
      ->required()
      ->type_name("FILE");
  lint->add_option("--trust-domain",
                   options->trust_domain,
                   "the own trust domain; without it, the one that the "
                   "documents name as theirs")
      ->type_name("NAME");
  AddJsonOption(*lint, options->json);
  parser.require_subcommand(1);
  return [options](CommandEnvironment &environment) {
    return RunLint(*options, environment);
  };
}

}  // namespace kith
