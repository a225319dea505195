// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <iostream>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include <nlohmann/json.hpp>

#include "agent/runtime/text_file.h"
#include "agent/web/discovery_document.h"
#include "agent/web/web_fetch.h"
#include "control-client/cli/command.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/jwt_diagnosis.h"
#include "control-client/cli/printable.h"
#include "control-client/cli/terminal.h"

namespace kith {
namespace {

// HTTP servers refuse larger headers, and so such tokens.
constexpr size_t kMaxToken = size_t{64} << 10;

struct JwtOptions {
  std::string file = "-";
  std::string audience;
  std::string issuer;
  std::string time;
  int64_t leeway = 0;
  std::string jwks;
  std::string ca_file;
  bool json = false;
};

// On a command line the token would be in every process list.
absl::StatusOr<std::string> ReadToken(const std::string &file) {
  std::string text(kMaxToken + 1, '\0');
  if (file == "-") {
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(std::cin.gcount()));
  } else {
    auto read = ReadTextFile(file);
    if (!read.ok()) {
      return read;
    }
    text = *std::move(read);
  }
  if (text.size() > kMaxToken) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token has more than ", kMaxToken, " bytes"));
  }
  std::string_view token = absl::StripAsciiWhitespace(text);
  (void)absl::ConsumePrefix(&token, "Bearer ");
  return std::string(absl::StripAsciiWhitespace(token));
}

absl::StatusOr<std::chrono::system_clock::time_point> ReadTime(
    const std::string &text) {
  int64_t seconds = 0;
  absl::Time time = absl::Now();
  std::string error;
  if (absl::SimpleAtoi(text, &seconds)) {
    time = absl::FromUnixSeconds(seconds);
  } else if (!text.empty() &&
             !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--time wants seconds since 1970 or a time like "
                     "2027-01-15T08:00:00Z, got '",
                     text,
                     "'"));
  }
  return absl::ToChronoTime(time);
}

absl::StatusOr<std::string> FetchFrom(const std::string &text,
                                      const std::string &ca_file) {
  auto url = ParseUrl(text);
  if (!url.ok()) {
    return url.status();
  }
  WebRequest request;
  request.url = *std::move(url);
  request.ca_file = ca_file;
  return FetchWeb(request);
}

// FetchIssuerKeys acts like a verifier with OpenID Connect Discovery.
absl::StatusOr<std::string> FetchIssuerKeys(const JwtOptions &options) {
  auto text = FetchFrom(
      absl::StrCat(absl::StripSuffix(options.issuer, "/"), kDiscoveryPath),
      options.ca_file);
  if (!text.ok()) {
    return text;
  }
  const Json found = Json::parse(*text, nullptr, false);
  if (TextAt(found, "/issuer") != options.issuer) {
    return absl::UnavailableError(
        "its discovery document is of another issuer");
  }
  return FetchFrom(TextAt(found, "/jwks_uri"), options.ca_file);
}

// The operator names the location of the keys; the token's own claim of it is
// not trusted.
std::optional<absl::StatusOr<std::vector<JwtAuthority>>> ReadKeys(
    const JwtOptions &options) {
  absl::StatusOr<std::string> text = absl::UnknownError("");
  if (absl::StartsWith(options.jwks, "https://") ||
      absl::StartsWith(options.jwks, "http://")) {
    text = FetchFrom(options.jwks, options.ca_file);
  } else if (!options.jwks.empty()) {
    text = ReadTextFile(options.jwks);
  } else if (!options.issuer.empty()) {
    text = FetchIssuerKeys(options);
  } else {
    return std::nullopt;
  }
  return text.ok() ? ReadJwkSet(*text) : text.status();
}

Json DiagnosisJson(const JwtDiagnosis &diagnosis) {
  Json findings = Json::array();
  for (const JwtFinding &finding : diagnosis.findings) {
    findings.push_back({{"kind", finding.kind},
                        {"message", finding.message},
                        {"wayOut", finding.way_out}});
  }
  return {{"ok", diagnosis.findings.empty()},
          {"signatureChecked", diagnosis.signature_checked},
          {"token", diagnosis.facts},
          {"findings", std::move(findings)}};
}

void PrintDiagnosis(const JwtDiagnosis &diagnosis,
                    CommandEnvironment &environment) {
  std::ostream &out = environment.out;
  for (const auto &[name, value] : diagnosis.facts.items()) {
    out << name << std::string(5 - std::min<size_t>(name.size(), 4), ' ')
        << Printable(value.is_string() ? value.get<std::string>()
                                       : value.dump(-1, ' ', true))
        << '\n';
  }
  for (const JwtFinding &finding : diagnosis.findings) {
    out << Styled(finding.kind, Style::kBad, environment.colour) << ": "
        << Printable(finding.message)
        << "\n  way out: " << Printable(finding.way_out) << '\n';
  }
  if (diagnosis.findings.empty()) {
    out << Styled("nothing is wrong with it", Style::kGood, environment.colour)
        << '\n';
  }
  if (!diagnosis.signature_checked) {
    out << "the signature was not checked"
        << (diagnosis.findings.empty() ? ": give --issuer or --jwks\n" : "\n");
  }
}

int RunDoctor(const JwtOptions &options, CommandEnvironment &environment) {
  (void)std::signal(SIGPIPE, SIG_IGN);  // of a server that hangs up
  const auto token = ReadToken(options.file);
  const auto now = ReadTime(options.time);
  for (const absl::Status &status : {token.status(), now.status()}) {
    if (!status.ok()) {
      return ReportError(environment, status);
    }
  }
  Verifier verifier;
  verifier.now = *now;
  verifier.leeway = std::chrono::seconds(options.leeway);
  if (!options.audience.empty()) {
    verifier.audience = options.audience;
  }
  if (!options.issuer.empty()) {
    verifier.issuer = options.issuer;
  }
  verifier.keys = ReadKeys(options);
  const JwtDiagnosis diagnosis = DiagnoseJwt(*token, verifier);
  if (options.json) {
    PrintJson(environment.out, DiagnosisJson(diagnosis));
  } else {
    PrintDiagnosis(diagnosis, environment);
  }
  return diagnosis.findings.empty() ? kExitOk : kExitNegative;
}

}  // namespace

RunCommand AttachJwt(CommandParser &parser) {
  auto options = std::make_shared<JwtOptions>();
  CommandParser doctor =
      parser.AddSubcommand("doctor", "say why a verifier refuses a JWT-SVID");
  const RunCommand keys = AttachJwtKeys(parser);
  doctor.AddOption("FILE", options->file, "file with the token (default: -)");
  doctor.AddOption("--audience",
                   options->audience,
                   "what it wants in aud",
                   {.value_name = "NAME"});
  doctor.AddOption("--issuer",
                   options->issuer,
                   "what it wants in iss, and where the keys are found",
                   {.value_name = "URL"});
  doctor.AddOption("--time",
                   options->time,
                   "its clock (default: now)",
                   {.value_name = "TIME"});
  doctor.AddOption(
      "--leeway",
      options->leeway,
      "what it allows for clocks",
      {.value_name = "SECONDS", .range = NumberRange::kNotNegative});
  doctor.AddOption("--jwks",
                   options->jwks,
                   "its keys: a file or a URL",
                   {.value_name = "FILE|URL"});
  doctor.AddOption("--ca-file",
                   options->ca_file,
                   "CA certificates for HTTPS",
                   {.value_name = "FILE"});
  AddJsonOption(doctor, options->json);
  return [options, keys, parser](CommandEnvironment &environment) {
    return parser.Subcommand() == "doctor" ? RunDoctor(*options, environment)
                                           : keys(environment);
  };
}

}  // namespace kith
