// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/table.h"

namespace kith {
namespace {

struct RevokeOptions : ClientOptions {
  std::string svid;
};

void PrintRevoked(const Json &answer, CommandEnvironment &environment) {
  Table table({{"REVOKED"}, {"SPIFFE ID"}, {"AUTHORITY"}});
  for (const Json &row : ListAt(answer, "/revoked")) {
    table.AddRow({TextAt(row, "/serial"),
                  TextAt(row, "/spiffeId"),
                  TextAt(row, "/authority")});
  }
  table.Print(environment.out, environment.colour);
  environment.out << "open flows that they authenticated: "
                  << TextAt(answer, "/flows") << '\n';
}

int RunRevoke(const RevokeOptions &options, CommandEnvironment &environment) {
  const auto answer = AdminClient::Create(options.socket)
                          ->Put("/v1/svids/revoked", {{"svid", options.svid}});
  if (!answer.ok()) {
    return ReportError(environment, answer.status());
  }
  if (options.json) {
    PrintJson(environment.out, *answer);
  } else {
    PrintRevoked(*answer, environment);
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachSvid(CommandParser &parser) {
  CommandParser revoke = parser.AddSubcommand(
      "revoke", "revoke an SVID and end the flows that it authenticated");
  auto options = std::make_shared<RevokeOptions>();
  AddClientOptions(revoke, *options);
  revoke.AddOption("svid",
                   options->svid,
                   "serial number of one SVID, or a SPIFFE ID for all of them",
                   {.value_name = "SERIAL|ID", .required = true});
  return [options](CommandEnvironment &environment) {
    return RunRevoke(*options, environment);
  };
}

}  // namespace kith
