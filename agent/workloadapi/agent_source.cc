// SPDX-License-Identifier: Apache-2.0
#include "agent/workloadapi/agent_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/runtime/log.h"

namespace kith {
namespace {

absl::Status NoIdentity(uint32_t pid, std::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat(
      "process ", pid, " has no identity: ", why, "; see kith explain ", pid));
}

// A caller of the API has no destination port: identities with a selector on
// the port apply to single flows, and their keys are given to no caller.
absl::StatusOr<SpiffeId> IdOf(const ResourceSet &resources,
                              const Attestation &attestation,
                              uint32_t pid) {
  const auto identity = Identify(resources, attestation, kNoPort);
  if (absl::IsFailedPrecondition(identity.status())) {
    return NoIdentity(
        pid, absl::StrCat(identity.status().message(), " match equally well"));
  }
  if (!identity.ok()) {
    return absl::UnavailableError(
        absl::StrCat("process ", pid, ": ", identity.status().message()));
  }
  if (*identity == nullptr) {
    return NoIdentity(pid, "no selectors match");
  }
  return (*identity)->spiffe_id;
}

class AgentSource final : public WorkloadApiSource {
 public:
  explicit AgentSource(AgentSourceParts parts) : parts_(std::move(parts)) {}

  // A process outside of the managed cgroup has no identity here either.
  absl::StatusOr<ApiCaller> Identify(const PeerProcess &process) override {
    const auto pid = static_cast<uint32_t>(process.pid());
    auto found = parts_.host.FindManagedProcess(pid);
    if (!found.ok()) {
      return absl::IsNotFound(found.status())
                 ? NoIdentity(pid, "it is not in the managed cgroup")
                 : found.status();
    }
    // The process may have another identity by now (exec of a set-user-ID
    // program) while another process holds the connection.
    if (found->process.uid != process.uid() ||
        found->process.gid != process.gid()) {
      return NoIdentity(pid, "it has another user or group than it had");
    }
    auto attested = parts_.attestor.Attest(
        found->process, found->image, WorkloadAttestor::Expect::kSameImage);
    if (!attested.ok()) {
      return AttestError(pid, attested.status());
    }
    // The process lives, so that no other process had its pid meanwhile.
    if (!process.Alive()) {
      return NoIdentity(pid, "the process that connected is gone");
    }
    const auto resources = parts_.resources();
    auto id = IdOf(*resources, (*attested)->attestation, pid);
    if (!id.ok()) {
      return id.status();
    }
    return ApiCaller{found->process, *std::move(id)};
  }

  absl::StatusOr<std::vector<ProcessFacts>> ListProcesses() override {
    auto live = parts_.host.ListProcesses();
    if (!live.ok()) {
      return live.status();
    }
    std::vector<ProcessFacts> facts;
    facts.reserve(live->size());
    for (const auto &process : *live) {
      facts.push_back(process.process);
    }
    return facts;
  }

  absl::StatusOr<std::shared_ptr<const X509Svid>> GetX509Svid(
      const SpiffeId &id) override {
    return Passing(parts_.svids.Get(id));
  }

  std::shared_ptr<const TrustBundle> bundle(const SpiffeId &id) override {
    const auto resources = parts_.resources();
    // The load ensured that all documents with this ID agree.
    const auto found =
        std::ranges::find(resources->identities, id, [](const auto &identity) {
          return identity->spiffe_id;
        });
    return parts_.federation.Join(parts_.svids.bundle(),
                                  found == resources->identities.end()
                                      ? std::vector<std::string>()
                                      : (*found)->federates_with);
  }

  absl::StatusOr<std::string> IssueJwtSvid(
      const SpiffeId &id, const std::vector<std::string> &audience) override {
    auto token = Passing(parts_.svids.IssueJwt(id, audience));
    if (token.ok()) {
      Log(LogLevel::kDebug,
          "new JWT-SVID",
          {{"identity", id.uri()}, {"audience", absl::StrJoin(audience, " ")}});
    }
    return token;
  }

 private:
  // A process that does exec meanwhile is attested again.
  static absl::Status AttestError(uint32_t pid, const absl::Status &status) {
    return absl::IsNotFound(status) ? NoIdentity(pid, status.message())
                                    : absl::UnavailableError(status.message());
  }

  // The identity is in force, but the store does not know it yet.
  template <typename T>
  static absl::StatusOr<T> Passing(absl::StatusOr<T> result) {
    if (absl::IsNotFound(result.status())) {
      return absl::UnavailableError(result.status().message());
    }
    return result;
  }

  const AgentSourceParts parts_;
};

}  // namespace

std::unique_ptr<WorkloadApiSource> CreateAgentSource(AgentSourceParts parts) {
  return std::make_unique<AgentSource>(std::move(parts));
}

}  // namespace kith
