// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/printable.h"
#include "control-client/cli/table.h"

namespace kith {
namespace {

struct ExplainOptions : ClientOptions {
  uint32_t pid = 0;
};

std::string NameOf(const Json &identity) {
  return absl::StrCat(
      TextAt(identity, "/name"), " (", TextAt(identity, "/spiffeId"), ")");
}

void PrintProcess(const Json &answer, CommandEnvironment &environment) {
  const Json &process = ListAt(answer, "/process");
  std::ostream &out = environment.out;
  out << Printable(absl::StrCat("process ",
                                TextAt(process, "/pid"),
                                " ",
                                TextAt(process, "/name"),
                                ": ",
                                TextAt(process, "/cmdline")))
      << '\n'
      << Printable(absl::StrCat("  executable ",
                                TextAt(process, "/exe"),
                                ", uid ",
                                TextAt(process, "/uid"),
                                ", gid ",
                                TextAt(process, "/gid"),
                                ", started ",
                                TextAt(process, "/startTime")))
      << '\n'
      << Printable(absl::StrCat("  cgroup ", TextAt(process, "/cgroup")))
      << '\n';
  if (!BoolAt(answer, "/inManagedCgroup")) {
    out << Styled("  outside the managed cgroup: kith leaves its flows alone",
                  Style::kWarning,
                  environment.colour)
        << '\n';
  }
}

// Outcome returns the sentence that answers the command's question.
Cell Outcome(const Json &answer) {
  const std::string outcome = TextAt(answer, "/outcome");
  if (outcome == "identity") {
    return {absl::StrCat("identity: ", NameOf(ListAt(answer, "/identity"))),
            Style::kGood};
  }
  if (outcome == "tie") {
    return {absl::StrCat("tie: ",
                         JoinedAt(answer, "/tied"),
                         " match equally well, so that its flows are refused; "
                         "make one selector map more specific"),
            Style::kBad};
  }
  if (outcome == "undetermined") {
    return {absl::StrCat("undetermined: an attestor failed that decides about ",
                         JoinedAt(answer, "/undetermined"),
                         ", so that its flows are refused"),
            Style::kBad};
  }
  if (outcome == "depends_on_flow") {
    return {"identity depends on the flow: destination:port decides",
            Style::kWarning};
  }
  return {"no identity: its flows are left alone", Style::kWarning};
}

// LeftAlone returns the sentence about flows that the agent does not see, or
// "".
std::string LeftAlone(const Json &answer) {
  const bool outbound = BoolAt(answer, "/untouched/outbound");
  const bool inbound = BoolAt(answer, "/untouched/inbound");
  if (TextAt(answer, "/outcome") == "none" || (!outbound && !inbound)) {
    return "";
  }
  const char *which = outbound ? "outbound flows" : "inbound flows";
  return absl::StrCat("DISABLE: once it is known, the kernel leaves all its ",
                      outbound && inbound ? "flows" : which,
                      " alone");
}

void PrintOutcome(const Json &answer, CommandEnvironment &environment) {
  const Cell outcome = Outcome(answer);
  environment.out << '\n'
                  << Styled(Printable(outcome.text),
                            outcome.style,
                            environment.colour)
                  << '\n';
  if (const std::string alone = LeftAlone(answer); !alone.empty()) {
    environment.out << Styled(alone, Style::kWarning, environment.colour)
                    << '\n';
  }
  const Json &nearest = ListAt(answer, "/nearestMiss");
  if (!nearest.empty()) {
    const std::string missing = TextAt(nearest, "/missing");
    environment.out << Printable(absl::StrCat("nearest miss: ",
                                              NameOf(nearest),
                                              ", ",
                                              missing,
                                              missing == "1"
                                                  ? " selector does not match"
                                                  : " selectors do not match"))
                    << '\n';
  }
  for (const Json &failure : ListAt(answer, "/failures")) {
    environment.out << Styled(
                           Printable(absl::StrCat("attestor ",
                                                  TextAt(failure, "/attestor"),
                                                  " gave no selectors: ",
                                                  TextAt(failure, "/error"))),
                           Style::kBad,
                           environment.colour)
                    << '\n';
  }
}

Cell VerdictCell(const Json &term) {
  const std::string verdict = TextAt(term, "/verdict");
  if (verdict == "match") {
    return {verdict, Style::kGood};
  }
  return {verdict == "depends_on_flow" ? "depends on flow" : verdict,
          verdict == "mismatch" ? Style::kBad : Style::kWarning};
}

void PrintIdentity(const Json &identity, CommandEnvironment &environment) {
  const bool matched = BoolAt(identity, "/matched");
  environment.out << '\n'
                  << Styled(Printable(NameOf(identity)),
                            Style::kHeading,
                            environment.colour)
                  << ": "
                  << Styled(matched ? "matches" : "does not match",
                            matched ? Style::kGood : Style::kBad,
                            environment.colour)
                  << "  " << Printable(TextAt(identity, "/origin")) << '\n';
  Table table({{"MAP", Table::Align::kRight},
               {"SELECTOR"},
               {"WANTED"},
               {"OBSERVED"},
               {"SOURCE"},
               {"VERDICT"}});
  size_t number = 0;
  for (const Json &map : ListAt(identity, "/maps")) {
    ++number;
    for (const Json &term : ListAt(map, "/terms")) {
      table.AddRow({std::to_string(number),
                    TextAt(term, "/key"),
                    JoinedAt(term, "/wanted"),
                    JoinedAt(term, "/observed"),
                    TextAt(term, "/source"),
                    VerdictCell(term)});
    }
  }
  table.Print(environment.out, environment.colour);
}

void PrintSelectors(const Json &answer, CommandEnvironment &environment) {
  Table table({{"ATTESTED SELECTOR"}, {"VALUE"}, {"SOURCE"}});
  for (const Json &selector : ListAt(answer, "/selectors")) {
    table.AddRow({TextAt(selector, "/key"),
                  TextAt(selector, "/value"),
                  TextAt(selector, "/source")});
  }
  environment.out << '\n';
  table.Print(environment.out, environment.colour);
}

int RunExplain(const ExplainOptions &options, CommandEnvironment &environment) {
  const auto answer =
      AdminClient::Create(options.socket)
          ->Get("/v1/explain", {{"pid", std::to_string(options.pid)}});
  if (!answer.ok()) {
    return ReportError(environment, answer.status());
  }
  if (options.json) {
    PrintJson(environment.out, *answer);
    return kExitOk;
  }
  PrintProcess(*answer, environment);
  PrintOutcome(*answer, environment);
  for (const Json &identity : ListAt(*answer, "/identities")) {
    PrintIdentity(identity, environment);
  }
  PrintSelectors(*answer, environment);
  return kExitOk;
}

}  // namespace

RunCommand AttachExplain(CommandParser &parser) {
  auto options = std::make_shared<ExplainOptions>();
  AddClientOptions(parser, *options);
  parser.AddOption(
      "pid",
      options->pid,
      "process id",
      {.value_name = "PID", .required = true, .range = NumberRange::kPositive});
  return [options](CommandEnvironment &environment) {
    return RunExplain(*options, environment);
  };
}

}  // namespace kith
