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

Cell SvidCell(const Json &row) {
  if (!TextAt(row, "/svid/serial").empty()) {
    return {"valid", Style::kGood};
  }
  return {"none", Style::kBad};
}

void PrintTable(const Json &identities, CommandEnvironment &environment) {
  const auto now = std::chrono::system_clock::now();
  Table table({{"IDENTITY"},
               {"SPIFFE ID"},
               {"MODE"},
               {"SVID"},
               {"SERIAL"},
               {"EXPIRES"},
               {"RENEWAL"},
               {"ROTATIONS", Table::Align::kRight},
               {"ERROR"}});
  for (const Json &row : identities) {
    table.AddRow({TextAt(row, "/name"),
                  TextAt(row, "/spiffeId"),
                  TextAt(row, "/mode"),
                  SvidCell(row),
                  TextAt(row, "/svid/serial"),
                  HumanTime(TextAt(row, "/svid/notAfter"), now),
                  HumanTime(TextAt(row, "/nextAttempt"), now),
                  TextAt(row, "/svid/rotations"),
                  {TextAt(row, "/svidError"), Style::kBad}});
  }
  if (table.empty()) {
    environment.out << "No identities: no WorkloadIdentity document is loaded "
                       "(resources in kith.yaml).\n";
    return;
  }
  table.Print(environment.out, environment.colour);
}

int RunIdentities(const ClientOptions &options,
                  CommandEnvironment &environment) {
  const auto answer =
      AdminClient::Create(options.socket)->Get("/v1/identities");
  if (!answer.ok()) {
    return ReportError(environment, answer.status());
  }
  if (options.json) {
    PrintJson(environment.out, *answer);
  } else {
    PrintTable(ListAt(*answer, "/identities"), environment);
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachIdentities(CommandParser &parser) {
  auto options = std::make_shared<ClientOptions>();
  AddClientOptions(parser, *options);
  return [options](CommandEnvironment &environment) {
    return RunIdentities(*options, environment);
  };
}

}  // namespace kith
