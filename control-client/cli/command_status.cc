// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/human_units.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/printable.h"
#include "control-client/cli/table.h"

namespace kith {
namespace {

using Align = Table::Align;

void PrintFact(std::ostream &out, const char *name, const std::string &value) {
  out << name << std::string(14 - std::string_view(name).size(), ' ')
      << Printable(value) << '\n';
}

void PrintOuterWatch(const Json &status, CommandEnvironment &environment) {
  if (BoolAt(status, "/outerWatch")) {
    PrintFact(environment.out, "outer watch", "on");
    return;
  }
  environment.out << Styled("outer watch   off: " +
                                Printable(TextAt(status, "/outerWatchError")),
                            Style::kWarning,
                            environment.colour)
                  << '\n';
}

void PrintFlowStore(const Json &status, CommandEnvironment &environment) {
  const std::string store = TextAt(status, "/flowStore");
  if (store == "systemd") {
    PrintFact(environment.out,
              "flow store",
              store + ", " + TextAt(status, "/keptFlows") + " flows kept");
  } else if (store == "refused") {
    environment.out << Styled("flow store    refused: " +
                                  Printable(TextAt(status, "/flowStoreError")),
                              Style::kWarning,
                              environment.colour)
                    << '\n';
  }
}

void PrintFacts(const Json &status, CommandEnvironment &environment) {
  std::ostream &out = environment.out;
  const std::chrono::seconds uptime(CountAt(status, "/uptimeSeconds"));
  PrintFact(out,
            "agent",
            "version " + TextAt(status, "/version") + ", pid " +
                TextAt(status, "/pid") + ", up " + HumanDuration(uptime));
  PrintFact(out, "trust domain", TextAt(status, "/trustDomain"));
  PrintFact(out, "issuer", TextAt(status, "/issuer"));
  PrintFact(out, "cgroup", TextAt(status, "/cgroup"));
  PrintFact(out,
            "path",
            TextAt(status, "/path") +
                (BoolAt(status, "/pinned") ? ", links pinned" : ""));
  PrintFlowStore(status, environment);
  PrintOuterWatch(status, environment);
  PrintFact(out,
            "resources",
            TextAt(status, "/identities") + " identities, " +
                TextAt(status, "/services") + " services");
  if (const std::string error = TextAt(status, "/resourcesError");
      !error.empty()) {
    out << Styled(
               "The newest resource documents are wrong, the last good "
               "ones are in force: " +
                   Printable(error),
               Style::kBad,
               environment.colour)
        << '\n';
  }
  PrintFact(
      out, "processes", TextAt(status, "/attestedProcesses") + " attested");
  PrintFact(out,
            "flows",
            HumanCount(CountAt(status, "/flows/open")) + " open, " +
                HumanCount(CountAt(status, "/flows/opened")) +
                " since the start");
}

// PrintCounts prints the members of an object of numbers that are not zero.
void PrintCounts(const Json &counts,
                 const char *heading,
                 CommandEnvironment &environment) {
  Table table({{heading}, {"COUNT", Align::kRight}});
  for (const auto &[name, count] : counts.items()) {
    if (const uint64_t number = CountAt(count, ""); number != 0) {
      table.AddRow({name, HumanCount(number)});
    }
  }
  if (!table.empty()) {
    environment.out << '\n';
    table.Print(environment.out, environment.colour);
  }
}

void PrintNamespaces(const Json &status, CommandEnvironment &environment) {
  Table table({{"NAMESPACE"},
               {"COOKIE", Align::kRight},
               {"PORT IPV4", Align::kRight},
               {"PORT IPV6", Align::kRight}});
  for (const Json &row : ListAt(status, "/namespaces")) {
    table.AddRow({TextAt(row, "/name"),
                  TextAt(row, "/netnsCookie"),
                  TextAt(row, "/outboundPortV4"),
                  TextAt(row, "/outboundPortV6")});
  }
  if (!table.empty()) {
    environment.out << '\n';
    table.Print(environment.out, environment.colour);
  }
}

// An error beside a bundle that is not stale is a failure of just now.
void PrintFederation(const Json &status, CommandEnvironment &environment) {
  Table table({{"FOREIGN DOMAIN"},
               {"SEQUENCE", Align::kRight},
               {"FETCHED"},
               {"STATE"},
               {"ERROR"}});
  for (const Json &row : ListAt(status, "/federation")) {
    const bool known = row.contains("x509Authorities");
    const bool stale = BoolAt(row, "/stale");
    table.AddRow({TextAt(row, "/trustDomain"),
                  TextAt(row, "/sequence"),
                  TextAt(row, "/fetchedAt"),
                  Cell(!known  ? "no bundle"
                       : stale ? "stale"
                               : "fresh",
                       known && !stale ? Style::kGood : Style::kBad),
                  TextAt(row, "/error")});
  }
  if (!table.empty()) {
    environment.out << '\n';
    table.Print(environment.out, environment.colour);
  }
}

int RunStatus(const ClientOptions &options, CommandEnvironment &environment) {
  const auto status = AdminClient::Create(options.socket)->Get("/v1/status");
  if (!status.ok()) {
    return ReportError(environment, status.status());
  }
  if (options.json) {
    PrintJson(environment.out, *status);
    return kExitOk;
  }
  PrintFacts(*status, environment);
  PrintNamespaces(*status, environment);
  PrintFederation(*status, environment);
  PrintCounts(ListAt(*status, "/flows/closed"), "CLOSED", environment);
  PrintCounts(ListAt(*status, "/counters"), "COUNTER", environment);
  return kExitOk;
}

}  // namespace

RunCommand AttachStatus(CommandParser &parser) {
  auto options = std::make_shared<ClientOptions>();
  AddClientOptions(parser, *options);
  return [options](CommandEnvironment &environment) {
    return RunStatus(*options, environment);
  };
}

}  // namespace kith
