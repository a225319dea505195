// SPDX-License-Identifier: Apache-2.0
#include "agent/config/config.h"

#include <sys/un.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "agent/config/bypass.h"
#include "agent/config/field.h"
#include "agent/config/web_config_reader.h"
#include "agent/runtime/text_file.h"
#include "kith/spiffe_id.h"
#include "kith/svid_ttl.h"

namespace kith {
namespace {

constexpr size_t kMaxResourcePaths = 64;
// The longest socket name below the runtime directory.
constexpr std::string_view kLongestSocket = "/workload.sock";

auto Text(std::string &out) {
  return Into(out, [](const Field &f) { return f.AsString(); });
}

auto Path(std::string &out) {
  return Into(out, AbsolutePath);
}

// Choice accepts one of `choices`, which are the enum's values in order.
template <typename Enum>
auto Choice(Enum &out, std::initializer_list<std::string_view> choices) {
  return [&out,
          choices = std::vector(choices)](const Field &field) -> absl::Status {
    auto index = field.AsChoice(choices);
    if (index.ok()) {
      out = static_cast<Enum>(*index);
    }
    return index.status();
  };
}

absl::Status ReadTrustDomain(const Field &field, Config &config) {
  auto text = field.AsString();
  if (!text.ok()) {
    return text.status();
  }
  config.trust_domain = absl::AsciiStrToLower(*text);
  const absl::Status status = ValidateTrustDomain(config.trust_domain);
  return status.ok() ? status : field.Wrap(status);
}

absl::Status ReadRuntimeDir(const Field &field, Config &config) {
  auto path = AbsolutePath(field);
  if (!path.ok()) {
    return path.status();
  }
  const size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  if (path->size() + kLongestSocket.size() > longest) {
    return field.Error(absl::StrCat(
        "longer than ",
        longest - kLongestSocket.size(),
        " bytes: the path of a socket in it would not fit (unix(7))"));
  }
  config.runtime_dir = *std::move(path);
  return absl::OkStatus();
}

absl::Status ReadResources(const Field &field, Config &config) {
  if (field.IsScalar()) {
    config.resources.resize(1);
    return Path(config.resources[0])(field);
  }
  auto items = field.Items(kMaxResourcePaths);
  if (!items.ok()) {
    return items.status();
  }
  std::vector<std::string> paths(items->size());
  for (size_t i = 0; i < paths.size(); ++i) {
    if (auto status = Path(paths[i])((*items)[i]); !status.ok()) {
      return status;
    }
  }
  config.resources = std::move(paths);
  return absl::OkStatus();
}

absl::Status ReadCgroup(const Field &field, Config &config) {
  if (field.IsScalar() && field.node().scalar == "auto") {
    config.cgroup = "auto";
    return absl::OkStatus();
  }
  auto path = field.AsString();
  if (path.ok() && !absl::StartsWith(*path, "/")) {
    return field.Error(absl::StrCat(
        "want auto or the absolute path of a cgroup v2 directory, got '",
        *path,
        "'"));
  }
  return Text(config.cgroup)(field);
}

absl::Status ReadIssuer(const Field &field, Config &config) {
  return ReadMap(field,
                 {{"embedded", [&config](const Field &f) {
                     return ReadMap(f, {{"dir", Path(config.embedded_ca_dir)}});
                   }}});
}

absl::Status ReadSvid(const Field &field, Config &config) {
  return ReadMap(field,
                 {{"ttl",
                   Into(config.svid_ttl,
                        [](const Field &f) {
                          return f.AsDuration(kMinSvidTtl, kMaxSvidTtl);
                        })},
                  {"files", Path(config.svid_files)}});
}

// "sockmap" is the former name of "direct"; no sockmap carries bytes there.
absl::Status ReadSameNode(const Field &field, Config &config) {
  if (!field.IsScalar() || field.node().scalar != "sockmap") {
    return Choice(config.same_node, {"tls", "direct"})(field);
  }
  config.same_node = SameNodeChoice::kDirect;
  config.warnings.emplace_back(
      field.Error("'sockmap' is called 'direct' now: write that").message());
  return absl::OkStatus();
}

absl::Status ReadDatapath(const Field &field, Config &config) {
  absl::Status read = ReadMap(
      field,
      {{"path", Choice(config.path, {"auto", "ktls", "userspace"})},
       {"sameNode",
        [&config](const Field &f) { return ReadSameNode(f, config); }},
       {"unknownProcess", Choice(config.unknown_process, {"hold"})},
       {"bypass", Into(config.bypass, ReadBypassRules)},
       {"pin", Into(config.pin, [](const Field &f) { return f.AsBool(); })},
       {"flowStore", Choice(config.flow_store, {"none", "systemd"})}});
  if (read.ok() && config.flow_store != FlowStoreChoice::kNone && !config.pin) {
    return field.Error(
        "flowStore needs pin: true, for what the hooks know of open flows is "
        "in the maps that it keeps");
  }
  return read;
}

absl::Status ReadMetrics(const Field &field) {
  return ReadMap(
      field, {{"listen", [](const Field &f) -> absl::Status {
                 if (f.IsScalar() && f.node().scalar.empty()) {
                   return absl::OkStatus();
                 }
                 return f.Error(
                     "metrics are not supported by this version; supported: "
                     "\"\"");
               }}});
}

absl::Status ReadLog(const Field &field, Config &config) {
  return ReadMap(
      field,
      {{"level",
        Choice(config.log_level, {"debug", "info", "warning", "error"})},
       {"format", Choice(config.log_format, {"json", "text"})}});
}

absl::Status ReadConfig(const Field &root, Config &config) {
  const auto section =
      [&config](absl::Status (*read)(const Field &, Config &)) {
        return [&config, read](const Field &f) { return read(f, config); };
      };
  return ReadMap(root,
                 {{"trustDomain", section(ReadTrustDomain)},
                  {"stateDir", Path(config.state_dir)},
                  {"runtimeDir", section(ReadRuntimeDir)},
                  {"cgroup", section(ReadCgroup)},
                  {"resources", section(ReadResources)},
                  {"issuer", section(ReadIssuer)},
                  {"svid", section(ReadSvid)},
                  {"datapath", section(ReadDatapath)},
                  {"federation", Into(config.federation, ReadFederation)},
                  {"oidc", Into(config.oidc, ReadOidc)},
                  {"admin",
                   [&config](const Field &f) {
                     return ReadMap(f, {{"group", Text(config.admin_group)}});
                   }},
                  {"metrics", ReadMetrics},
                  {"log", section(ReadLog)}});
}

}  // namespace

absl::StatusOr<Config> ParseConfig(std::string_view text,
                                   std::string_view name) {
  auto documents = ParseYaml(text, name);
  if (!documents.ok()) {
    return documents.status();
  }
  Config config;
  if (documents->size() > 1) {
    const Field second((*documents)[1], name, "");
    return second.Error("a second document; kith.yaml has one");
  }
  for (const YamlNode &document : *documents) {
    if (auto status = ReadConfig(Field(document, name, ""), config);
        !status.ok()) {
      return status;
    }
  }
  for (const auto &foreign : config.federation.trust_domains) {
    if (foreign.trust_domain == config.trust_domain) {
      return absl::InvalidArgumentError(
          absl::StrCat(name,
                       ": federation.trustDomains: ",
                       foreign.trust_domain,
                       " is the own trust domain"));
    }
  }
  if (config.embedded_ca_dir.empty()) {
    config.embedded_ca_dir = absl::StrCat(config.state_dir, "/ca");
  }
  if (config.svid_files.empty()) {
    config.svid_files = absl::StrCat(config.runtime_dir, "/svids");
  }
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string &path) {
  auto text = ReadTextFile(path);
  if (!text.ok()) {
    return text.status();
  }
  return ParseConfig(*text, path);
}

}  // namespace kith
