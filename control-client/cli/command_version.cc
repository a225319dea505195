// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <nlohmann/json.hpp>

#include "control-client/cli/build_facts.h"
#include "control-client/cli/command.h"

namespace kith {
namespace {

Json VersionJson() {
  Json libraries = Json::object();
  for (const LinkedLibrary &library : kLinkedLibraries) {
    libraries[library.name] = library.version;
  }
  Json json = Json::object();
  json["version"] = kVersion;
  json["commit"] = kGitCommit;
  json["compiler"] = kCompiler;
  json["libraries"] = std::move(libraries);
  return json;
}

int RunVersion(bool json, CommandEnvironment &environment) {
  if (json) {
    PrintJson(environment.out, VersionJson());
    return kExitOk;
  }
  environment.out << "kith " << kVersion << " (commit " << kGitCommit << ", "
                  << kCompiler << ")\n";
  for (const LinkedLibrary &library : kLinkedLibraries) {
    environment.out << "  " << library.name << ' ' << library.version << '\n';
  }
  return kExitOk;
}

}  // namespace

RunCommand AttachVersion(CommandParser &parser) {
  auto json = std::make_shared<bool>(false);
  AddJsonOption(parser, *json);
  return [json](CommandEnvironment &environment) {
    return RunVersion(*json, environment);
  };
}

}  // namespace kith
