// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "control-client/cli/admin_client.h"
#include "control-client/cli/command.h"
#include "control-client/cli/human_units.h"
#include "control-client/cli/json_fields.h"
#include "control-client/cli/printable.h"
#include "control-client/cli/table.h"

namespace kith {
namespace {

struct DoctorOptions : ClientOptions {
  std::string cgroup;
};

struct Examination {
  std::vector<Feature> features;
  PathProbe path;
  absl::StatusOr<Json> agent;  // its status, or why it cannot be asked
};

bool IsFault(const Feature &feature) {
  return !feature.found && feature.needed == "required";
}

bool IsHealthy(const Examination &examined) {
  return std::none_of(
      examined.features.begin(), examined.features.end(), IsFault);
}

// The agent knows its cgroup; without one, the default is examined.
Examination Examine(const DoctorOptions &options,
                    CommandEnvironment &environment) {
  Examination examined{
      .features = {},
      .path = environment.parts.probe_path(),
      .agent = AdminClient::Create(options.socket)->Get("/v1/status")};
  std::string cgroup = options.cgroup;
  if (cgroup.empty() && examined.agent.ok()) {
    cgroup = TextAt(*examined.agent, "/cgroup");
  }
  examined.features =
      environment.parts.probe_features(cgroup.empty() ? "auto" : cgroup);
  examined.features.insert(examined.features.end(),
                           examined.path.features.begin(),
                           examined.path.features.end());
  return examined;
}

Json ExaminationJson(const Examination &examined) {
  Json features = Json::array();
  for (const Feature &feature : examined.features) {
    features.push_back({{"name", feature.name},
                        {"needed", feature.needed},
                        {"found", feature.found},
                        {"detail", feature.detail}});
  }
  Json json = Json::object();
  json["ok"] = IsHealthy(examined);
  json["path"] = examined.path.name;
  json["pathReason"] = examined.path.reason;
  json["features"] = std::move(features);
  if (examined.agent.ok()) {
    json["agent"] = *examined.agent;
  } else {
    json["agentError"] = std::string(examined.agent.status().message());
  }
  return json;
}

void PrintFeatures(const std::vector<Feature> &features,
                   CommandEnvironment &environment) {
  Table table({{"FEATURE"}, {"NEEDED"}, {"FOUND"}, {"DETAIL"}});
  for (const Feature &feature : features) {
    const Style missing = IsFault(feature) ? Style::kBad : Style::kWarning;
    table.AddRow(
        {feature.name,
         feature.needed,
         feature.found ? Cell("yes", Style::kGood) : Cell("no", missing),
         feature.detail});
  }
  table.Print(environment.out, environment.colour);
}

void PrintAgent(const absl::StatusOr<Json> &agent,
                CommandEnvironment &environment) {
  std::ostream &out = environment.out;
  if (!agent.ok()) {
    out << "agent: " << Printable(agent.status().message()) << '\n';
    return;
  }
  out << Printable(absl::StrCat("agent: running, version ",
                                TextAt(*agent, "/version"),
                                ", pid ",
                                TextAt(*agent, "/pid"),
                                ", path ",
                                TextAt(*agent, "/path"),
                                ", ",
                                TextAt(*agent, "/flows/open"),
                                " open flows"))
      << '\n';
  if (const std::string error = TextAt(*agent, "/resourcesError");
      !error.empty()) {
    out << Styled("resource documents: " + Printable(error),
                  Style::kBad,
                  environment.colour)
        << '\n';
  }
  if (!BoolAt(*agent, "/outerWatch")) {
    out << Styled("outer sockets are not watched: " +
                      Printable(TextAt(*agent, "/outerWatchError")),
                  Style::kWarning,
                  environment.colour)
        << '\n';
  }
  for (const Json &domain : ListAt(*agent, "/federation")) {
    if (const std::string error = TextAt(domain, "/error"); !error.empty()) {
      out << Styled(Printable(absl::StrCat(BoolAt(domain, "/stale")
                                               ? "stale bundle of "
                                               : "bundle of ",
                                           TextAt(domain, "/trustDomain"),
                                           ": ",
                                           error)),
                    Style::kBad,
                    environment.colour)
          << '\n';
    }
  }
  Table table({{"COUNTER"}, {"COUNT", Table::Align::kRight}});
  for (const auto &[name, count] : ListAt(*agent, "/counters").items()) {
    if (const uint64_t number = CountAt(count, ""); number != 0) {
      table.AddRow({name, HumanCount(number)});
    }
  }
  if (!table.empty()) {
    out << '\n';
    table.Print(out, environment.colour);
  }
}

int RunDoctor(const DoctorOptions &options, CommandEnvironment &environment) {
  const Examination examined = Examine(options, environment);
  if (options.json) {
    PrintJson(environment.out, ExaminationJson(examined));
  } else {
    PrintFeatures(examined.features, environment);
    environment.out << "\npath: " << examined.path.name << " ("
                    << Printable(examined.path.reason) << ")\n";
    PrintAgent(examined.agent, environment);
  }
  if (!IsHealthy(examined)) {
    environment.err << "kith: a required feature is missing; see the rows "
                       "with needed = required, found = no\n";
    return kExitNegative;
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachDoctor(CommandParser &parser) {
  auto options = std::make_shared<DoctorOptions>();
  AddClientOptions(parser, *options);
  parser.AddOption("--cgroup",
                   options->cgroup,
                   "cgroup to examine (default: the running agent's, or auto)",
                   {.value_name = "PATH"});
  return [options](CommandEnvironment &environment) {
    return RunDoctor(*options, environment);
  };
}

}  // namespace kith
