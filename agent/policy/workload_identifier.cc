// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/workload_identifier.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/runtime/run_on.h"

namespace kith {
namespace {

using AttestResult = absl::StatusOr<std::shared_ptr<const AttestedProcess>>;
using Expect = WorkloadAttestor::Expect;

class AttestingIdentifier final : public WorkloadIdentifier {
 public:
  AttestingIdentifier(WorkloadAttestor &attestor,
                      Capture &capture,
                      CurrentResources resources,
                      asio::thread_pool &pool)
      : attestor_(attestor),
        capture_(capture),
        resources_(std::move(resources)),
        pool_(pool) {}

  Task<absl::StatusOr<Workload>> OfProcess(const ProcessFacts &facts,
                                           const ProcessImage &image,
                                           Expect expect,
                                           uint16_t destination_port) override {
    auto process = co_await Attest(facts, image, expect);
    if (!process.ok()) {
      co_return process.status();
    }
    co_return Choose(*std::move(process), destination_port);
  }

  Task<absl::StatusOr<Workload>> OfListener(uint64_t netns_cookie,
                                            Endpoint local) override {
    auto listener = capture_.FindListener(netns_cookie, local);
    if (!listener.ok()) {
      co_return listener.status();
    }
    auto workload = co_await OfProcess(
        listener->process, listener->image, Expect::kSameProcess, local.port);
    if (!absl::IsNotFound(workload.status()) &&
        !absl::IsAborted(workload.status())) {
      co_return workload;
    }
    // The process that called listen() is gone: a child may hold the socket.
    listener = capture_.ResolveListener(netns_cookie, local);
    if (!listener.ok()) {
      co_return listener.status();
    }
    co_return co_await OfProcess(
        listener->process, listener->image, Expect::kSameProcess, local.port);
  }

 private:
  Task<AttestResult> Attest(const ProcessFacts &facts,
                            const ProcessImage &image,
                            Expect expect) {
    if (auto cached = attestor_.Cached(facts, expect)) {
      co_return cached;
    }
    co_return co_await RunOn<AttestResult>(pool_, [this, facts, image, expect] {
      return attestor_.Attest(facts, image, expect);
    });
  }

  absl::StatusOr<Workload> Choose(
      std::shared_ptr<const AttestedProcess> process,
      uint16_t destination_port) const {
    Workload workload;
    workload.process = std::move(process);
    workload.resources = resources_();
    workload.identity = Identify(
        *workload.resources, workload.process->attestation, destination_port);
    if (absl::IsUnavailable(workload.identity.status())) {
      return absl::UnavailableError(
          absl::StrCat(workload.identity.status().message(),
                       ": see kith explain ",
                       workload.process->facts.tgid));
    }
    return workload;
  }

  WorkloadAttestor &attestor_;
  Capture &capture_;
  const CurrentResources resources_;
  asio::thread_pool &pool_;
};

}  // namespace

std::unique_ptr<WorkloadIdentifier> CreateWorkloadIdentifier(
    WorkloadAttestor &attestor,
    Capture &capture,
    CurrentResources resources,
    asio::thread_pool &pool) {
  return std::make_unique<AttestingIdentifier>(
      attestor, capture, std::move(resources), pool);
}

}  // namespace kith
