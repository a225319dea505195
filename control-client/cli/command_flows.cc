// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/flow_cells.h"
#include "control-client/cli/human_units.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/table.h"

namespace kith {
namespace {

using Align = Table::Align;

struct FlowsOptions : ClientOptions {
  bool closed = false;
  uint32_t limit = 0;
};

std::vector<Table::Column> Columns() {
  return {{"ID", Align::kRight},
          {"DIR"},
          {"STATE"},
          {"MODE"},
          {"PATH"},
          {"PROCESS"},
          {"CLIENT"},
          {"DESTINATION"},
          {"LOCAL IDENTITY"},
          {"PEER IDENTITY"},
          {"SENT", Align::kRight},
          {"RECEIVED", Align::kRight},
          {"OPENED"},
          {"REASON"},
          {"DETAIL"}};
}

void AddFlow(Table &table,
             const Json &flow,
             std::chrono::system_clock::time_point now) {
  const std::string path = TextAt(flow, "/path");
  table.AddRow({TextAt(flow, "/id"),
                ShortDirection(flow),
                TextAt(flow, "/state"),
                ModeCell(flow),
                path == "none" ? "" : path,
                ProcessLabel(flow),
                TextAt(flow, "/client"),
                TextAt(flow, "/destination"),
                TextAt(flow, "/local/spiffeId"),
                TextAt(flow, "/peer/spiffeId"),
                HumanBytes(CountAt(flow, "/bytesSent")),
                HumanBytes(CountAt(flow, "/bytesReceived")),
                HumanTime(TextAt(flow, "/openedAt"), now),
                ReasonCell(flow),
                TextAt(flow, "/detail")});
}

void PrintTable(const Json &answer,
                const FlowsOptions &options,
                CommandEnvironment &environment) {
  const Json &flows = ListAt(answer, "/flows");
  if (flows.empty()) {
    environment.out << (options.closed ? "No flow has ended yet.\n"
                                       : "No open flows.\n");
    return;
  }
  const auto now = std::chrono::system_clock::now();
  Table table(Columns());
  for (const Json &flow : flows) {
    AddFlow(table, flow, now);
  }
  table.Print(environment.out, environment.colour);
  if (const uint64_t total = CountAt(answer, "/total"); total > flows.size()) {
    environment.out << "The newest " << flows.size() << " of "
                    << HumanCount(total) << " flows.\n";
  }
}

int RunFlows(const FlowsOptions &options, CommandEnvironment &environment) {
  AdminClient::Parameters parameters;
  if (options.closed) {
    parameters.emplace("closed", "1");
  }
  if (options.limit != 0) {
    parameters.emplace("limit", std::to_string(options.limit));
  }
  const auto answer =
      AdminClient::Create(options.socket)->Get("/v1/flows", parameters);
  if (!answer.ok()) {
    return ReportError(environment, answer.status());
  }
  if (options.json) {
    PrintJson(environment.out, *answer);
  } else {
    PrintTable(*answer, options, environment);
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachFlows(CommandParser &parser) {
  auto options = std::make_shared<FlowsOptions>();
  AddClientOptions(parser, *options);
  parser.AddFlag("--closed",
                 options->closed,
                 "the last closed flows with their reasons, newest first");
  parser.AddOption("--limit",
                   options->limit,
                   "show the newest N flows (default: all)",
                   {.value_name = "N", .range = NumberRange::kPositive});
  return [options](CommandEnvironment &environment) {
    return RunFlows(*options, environment);
  };
}

}  // namespace kith
