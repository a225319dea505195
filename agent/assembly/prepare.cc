// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/assembly/steps.h"
#include "agent/attestor/binary_hash.h"
#include "agent/checkpoint/flow_store.h"
#include "agent/identity/sha256.h"
#include "agent/issuer/embedded_ca.h"
#include "agent/runtime/log.h"

namespace kith {
namespace {

// How long the start waits for the first SVIDs: flows of an identity without
// one are refused, so that a late issuer delays nobody else for long.
constexpr std::chrono::milliseconds kFirstSvidsWait{5'000};

absl::Status MakeDirectory(const std::string &path, mode_t mode) {
  std::error_code error;
  const bool created = std::filesystem::create_directories(path, error);
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot create directory ", path, ": ", error.message()));
  }
  if (created && chmod(path.c_str(), mode) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod ", path));
  }
  return absl::OkStatus();
}

absl::Status StartIdentity(AgentStages &stages) {
  const Config &config = stages.config;
  auto issuer = CreateEmbeddedCa(config.embedded_ca_dir, config.trust_domain);
  if (!issuer.ok()) {
    return issuer.status();
  }
  stages.issuer = *issuer;
  SvidStore::Options options;
  options.jwt_issuer = config.oidc.issuer;
  options.on_bundle = [&stages](const TrustBundle &bundle) {
    stages.bundle_changed.Tell(bundle);
  };
  options.on_attempt = [&stages](const SvidState &state) {
    stages.svid_changed.Tell(state);
  };
  auto svids = SvidStore::Create(*std::move(issuer), std::move(options));
  if (!svids.ok()) {
    return svids.status();
  }
  stages.svids = *std::move(svids);
  auto watch = CaDirectoryWatch::Create(
      config.embedded_ca_dir, [&stages] { (void)stages.svids->Refresh(); });
  if (!watch.ok()) {
    return watch.status();
  }
  stages.ca_watch = *std::move(watch);
  return absl::OkStatus();
}

// A fault is logged at each try: at most once a minute after some time.
void LogAttempt(const FollowedBundle &now, bool changed) {
  if (changed) {
    Log(LogLevel::kInfo,
        "new bundle of a foreign trust domain",
        {{"trustDomain", now.trust_domain},
         {"sequence", now.sequence.value_or(0)}});
  }
  if (!now.last_error.ok()) {
    Log(now.stale ? LogLevel::kError : LogLevel::kWarning,
        "no fresh bundle of a foreign trust domain: the last good one stays",
        {{"trustDomain", now.trust_domain},
         {"source", now.source},
         {"error", now.last_error.message()}});
  }
}

absl::Status StartFederation(AgentStages &stages) {
  const Config &config = stages.config;
  // No trust domain has capital letters: theirs are the other files.
  stages.own_bundle = std::make_unique<OwnBundle>(
      absl::StrCat(config.state_dir, "/federation/OWN.json"),
      config.federation.refresh_hint);
  Federation::Options options;
  options.trust_domains = config.federation.trust_domains;
  options.state_dir = config.state_dir;
  options.on_attempt = [&stages](const FollowedBundle &now, bool changed) {
    LogAttempt(now, changed);
    if (changed) {
      stages.bundle_changed.Tell(*now.bundle);
    }
  };
  auto federation = Federation::Create(std::move(options));
  if (!federation.ok()) {
    return federation.status();
  }
  stages.federation = *std::move(federation);
  stages.web = std::make_unique<WebEndpoints>(
      WebEndpoints::Parts{.trust_domain = config.trust_domain,
                          .federation = config.federation,
                          .oidc = config.oidc,
                          .svids = *stages.svids,
                          .own_bundle = *stages.own_bundle});
  return absl::OkStatus();
}

void StartAttestor(AgentStages &stages) {
  WorkloadAttestor::Options options;
  options.exec_id_of = [&stages](const ProcessFacts &process) {
    return stages.datapath->ExecIdOf(process);
  };
  options.sha256_of = [](int fd) { return Sha256OfFile(fd, kMaxHashedBytes); };
  options.wants_binary_hash = [&stages] {
    return WantsBinaryHash(*stages.resources->current());
  };
  stages.attestor = WorkloadAttestor::Create(std::move(options));
}

absl::Status MakeDirectories(const Config &config) {
  for (const std::string &directory : {config.state_dir, config.runtime_dir}) {
    if (auto made = MakeDirectory(directory, 0755); !made.ok()) {
      return made;
    }
  }
  return absl::OkStatus();
}

absl::Status StartResources(AgentStages &stages) {
  auto on_load = [&stages](const auto &set) {
    if (!set.ok()) {
      Log(LogLevel::kError,
          "resources not loaded: the last good ones stay in force",
          {{"error", set.status().message()}});
      return;
    }
    stages.policy_changed.Tell(**set);
  };
  auto resources = ResourceStore::Create(
      stages.config.resources, stages.config.trust_domain, on_load);
  if (!resources.ok()) {
    return resources.status();
  }
  stages.resources = *std::move(resources);
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareStages(AgentStages &stages) {
  if (auto made = MakeDirectories(stages.config); !made.ok()) {
    return made;
  }
  auto outer_path = FindOuterPath(stages.config.path);
  if (!outer_path.ok()) {
    return outer_path.status();
  }
  stages.outer_path = *std::move(outer_path);
  Log(LogLevel::kInfo,
      "path of outer sockets",
      {{"path", stages.outer_path.name}, {"reason", stages.outer_path.reason}});
  absl::Status started = StartIdentity(stages);
  if (started.ok()) {
    started = StartFederation(stages);
  }
  if (started.ok()) {
    StartAttestor(stages);
  }
  return started;
}

void PrepareFlowStore(AgentStages &stages, FileDescriptor parent) {
  auto passed = std::exchange(stages.passed, {});
  if (parent.valid()) {
    passed.clear();  // it lives, and exports itself what is its own
  }
  if (stages.config.flow_store == FlowStoreChoice::kNone) {
    if (const size_t flows = FlowStore::Discard(std::move(passed)); flows > 0) {
      Log(LogLevel::kWarning,
          "flows of the former agent are reset: datapath.flowStore is none",
          {{"flows", flows}});
    }
    return;
  }
  auto store = OpenFlowStore(std::move(passed), std::move(parent));
  stages.flow_store_state = store.status();
  if (!store.ok()) {
    Log(LogLevel::kError,
        "open flows will not survive the agent's death",
        {{"error", store.status().message()}});
    return;
  }
  stages.checkpoints = *std::move(store);
}

absl::Status PreparePolicy(AgentStages &stages) {
  if (auto started = StartResources(stages); !started.ok()) {
    return started;
  }
  stages.policy_changed.Tell(*stages.resources->current());
  if (!stages.svids->WaitUntilAttempted(kFirstSvidsWait)) {
    Log(LogLevel::kWarning,
        "some SVIDs are not issued yet: their flows are refused");
  }
  return absl::OkStatus();
}

}  // namespace kith
