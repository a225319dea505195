// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "agent/policy/resource_store.h"
#include "control-client/cli/command.h"
#include "control-client/cli/policy_lint.h"
#include "control-client/cli/printable.h"
#include "control-client/cli/terminal.h"

namespace kith {
namespace {

using Severity = LintFinding::Severity;

struct LintOptions {
  std::vector<std::string> files;
  std::string trust_domain = "example.org";
  bool json = false;
};

// Lint is what one run found; documents that cannot be loaded have no findings.
struct Lint {
  absl::StatusOr<ResourceSet> resources;
  std::vector<LintFinding> findings;

  bool ok() const {
    return resources.ok() &&
           std::none_of(
               findings.begin(), findings.end(), [](const auto &finding) {
                 return finding.severity == Severity::kError;
               });
  }
};

Lint RunLinter(const LintOptions &options) {
  Lint lint{.resources = LoadResources(options.files, options.trust_domain),
            .findings = {}};
  if (lint.resources.ok()) {
    lint.findings = LintResources(*lint.resources, options.trust_domain);
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
                   "trust domain that completes workloadIDs")
      ->capture_default_str()
      ->type_name("NAME");
  AddJsonOption(*lint, options->json);
  parser.require_subcommand(1);
  return [options](CommandEnvironment &environment) {
    return RunLint(*options, environment);
  };
}

}  // namespace kith
