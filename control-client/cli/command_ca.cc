// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/human_units.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/table.h"

namespace kith {
namespace {

struct CaOptions : ClientOptions {
  std::string change;  // empty: show
  std::string id;
  bool now = false;
};

Cell StateCell(const Json &row) {
  const std::string state = TextAt(row, "/state");
  if (state == "active") {
    return {state, Style::kGood};
  }
  return {state, state == "tainted" ? Style::kBad : Style::kPlain};
}

void PrintAuthorities(const Json &answer, CommandEnvironment &environment) {
  const auto now = std::chrono::system_clock::now();
  Table table({{"AUTHORITY"},
               {"STATE"},
               {"SINCE"},
               {"EXPIRES"},
               {"SVIDS", Table::Align::kRight},
               {"CERTIFICATE"}});
  for (const Json &row : ListAt(answer, "/authorities")) {
    table.AddRow({TextAt(row, "/id"),
                  StateCell(row),
                  HumanTime(TextAt(row, "/since"), now),
                  HumanTime(TextAt(row, "/notAfter"), now),
                  TextAt(row, "/svids"),
                  TextAt(row, "/certificate")});
  }
  table.Print(environment.out, environment.colour);
}

absl::StatusOr<Json> Ask(const CaOptions &options) {
  const auto client = AdminClient::Create(options.socket);
  if (options.change.empty()) {
    return client->Get("/v1/ca");
  }
  Json body = {{"change", options.change}};
  if (!options.id.empty()) {
    body["id"] = options.id;
  }
  if (options.now) {
    body["now"] = true;
  }
  return client->Put("/v1/ca", body);
}

int RunCa(const CaOptions &options, CommandEnvironment &environment) {
  const auto answer = Ask(options);
  if (!answer.ok()) {
    return ReportError(environment, answer.status());
  }
  if (options.json) {
    PrintJson(environment.out, *answer);
  } else if (options.change.empty()) {
    PrintAuthorities(*answer, environment);
  } else {
    environment.out << options.change << ": " << TextAt(*answer, "/id") << '\n';
  }
  return kExitOk;
}

struct CaCommand {
  const char *name;
  const char *description;
  bool takes_id;
  bool needs_id;
};

constexpr CaCommand kCaCommands[] = {
    {"show", "show the authorities", false, false},
    {"prepare", "make an authority and publish it in the bundle", false, false},
    {"activate", "sign with a prepared authority from now on", true, false},
    {"taint",
     "renew every SVID of an old authority, end its flows",
     true,
     true},
    {"revoke", "take a tainted authority out of the bundle", true, true},
};

}  // namespace

RunCommand AttachCa(CommandParser &parser) {
  auto options = std::make_shared<CaOptions>();
  for (const CaCommand &command : kCaCommands) {
    CommandParser sub = parser.AddSubcommand(command.name, command.description);
    AddClientOptions(sub, *options);
    if (command.takes_id) {
      sub.AddOption("authority",
                    options->id,
                    "id that `kith ca show` shows",
                    {.value_name = "ID", .required = command.needs_id});
    }
    if (std::string(command.name) == "activate") {
      sub.AddFlag("--now",
                  options->now,
                  "do not wait until everybody has the new bundle");
    }
  }
  const RunCommand copy = AttachCaCopies(parser);
  return [options, copy, parser](CommandEnvironment &environment) {
    const std::string name = parser.Subcommand();
    if (name == "backup" || name == "restore") {
      return copy(environment);
    }
    options->change = name == "show" ? "" : name;
    return RunCa(*options, environment);
  };
}

}  // namespace kith
