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

constexpr const char *kPath = "/v1/jwt-keys";

struct JwtKeyOptions : ClientOptions {
  std::string id;
  bool now = false;
};

void PrintKeys(const Json &answer, CommandEnvironment &environment) {
  const auto now = std::chrono::system_clock::now();
  Table table({{"KEY"}, {"STATE"}, {"SIGNS FROM"}});
  for (const Json &row : ListAt(answer, "/keys")) {
    const std::string state = TextAt(row, "/state");
    table.AddRow({TextAt(row, "/id"),
                  {state, state == "active" ? Style::kGood : Style::kPlain},
                  HumanTime(TextAt(row, "/signsFrom"), now)});
  }
  table.Print(environment.out, environment.colour);
}

absl::StatusOr<Json> Ask(const JwtKeyOptions &options,
                         const std::string &change) {
  const auto client = AdminClient::Create(options.socket);
  if (change.empty()) {
    return client->Get(kPath);
  }
  Json body = {{"change", change}};
  if (!options.id.empty()) {
    body["id"] = options.id;
  }
  if (options.now) {
    body["now"] = true;
  }
  return client->Put(kPath, body);
}

int Run(const JwtKeyOptions &options,
        const std::string &change,
        CommandEnvironment &environment) {
  const auto answer = Ask(options, change);
  if (!answer.ok()) {
    return ReportError(environment, answer.status());
  }
  if (options.json) {
    PrintJson(environment.out, *answer);
  } else if (change.empty()) {
    PrintKeys(*answer, environment);
  } else {
    environment.out << change << ": " << TextAt(*answer, "/id") << '\n';
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachJwtKeys(CommandParser &jwt) {
  auto options = std::make_shared<JwtKeyOptions>();
  const auto add = [&](const char *name, const char *description) {
    CommandParser sub = jwt.AddSubcommand(name, description);
    AddClientOptions(sub, *options);
    return sub;
  };
  (void)add("keys", "show the keys that sign JWT-SVIDs");
  CommandParser rotate = add("rotate", "make the next key");
  rotate.AddFlag("--now",
                 options->now,
                 "sign with it before everybody has the new bundle");
  CommandParser revoke = add("revoke", "delete a key: its tokens are void");
  revoke.AddOption("key",
                   options->id,
                   "id that `kith jwt keys` shows",
                   {.value_name = "ID", .required = true});
  return [options, jwt](CommandEnvironment &environment) {
    const std::string name = jwt.Subcommand();
    return Run(*options, name == "keys" ? "" : name, environment);
  };
}

}  // namespace kith
