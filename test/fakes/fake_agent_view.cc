// SPDX-License-Identifier: Apache-2.0
#include "test/fakes/fake_agent_view.h"

#include "absl/strings/str_cat.h"

namespace kith {
namespace {

using std::chrono::microseconds;
using std::chrono::system_clock;

// 2026-11-22T20:34:02.125Z
constexpr std::chrono::milliseconds kMoment{1'795'379'642'125};

system_clock::time_point At(std::chrono::seconds later) {
  return system_clock::time_point(kMoment + later);
}

}  // namespace

FakeAgentView::FakeAgentView() : flows_(std::make_unique<FlowTable>(&trace_)) {}

std::string FakeAgentView::log_level() const {
  const std::lock_guard lock(mutex_);
  return log_level_;
}

absl::StatusOr<AgentView::Explanation> FakeAgentView::Explain(uint32_t pid) {
  const auto found = explanations.find(pid);
  if (found == explanations.end()) {
    return absl::NotFoundError(absl::StrCat("no process ", pid));
  }
  return found->second;
}

absl::Status FakeAgentView::SetLogLevel(const std::string &level) {
  if (level != "debug" && level != "info" && level != "warning" &&
      level != "error") {
    return absl::InvalidArgumentError("unknown level");
  }
  const std::lock_guard lock(mutex_);
  log_level_ = level;
  return absl::OkStatus();
}

FlowRecord ExampleFlow() {
  FlowRecord flow;
  flow.id = 9'007'199'254'740'993;  // above 2^53
  flow.direction = FlowDirection::kOutbound;
  flow.state = FlowState::kClosed;
  flow.mode = FlowMode::kMtls;
  flow.path = FlowPath::kUserspace;
  flow.process = {.pid = 42,
                  .start_time_ns = 1'500'000'000,
                  .name = "curl",
                  .cmdline = "curl http://10.0.0.2/",
                  .cgroup = "/kith/web"};
  flow.local = {.spiffe_id = "spiffe://example.org/demo/client",
                .svid_serial = "0a01",
                .svid_expires = At(std::chrono::hours(1))};
  flow.peer = {.spiffe_id = "spiffe://example.org/demo/server",
               .svid_serial = "0b02",
               .svid_expires = At(std::chrono::hours(1))};
  flow.client = Endpoint::Parse("10.0.0.1:40000").value();
  flow.destination = Endpoint::Parse("[fd00::2]:80").value();
  flow.tls = FlowRecord::Tls{.version = "TLSv1.3",
                             .cipher = "TLS_AES_128_GCM_SHA256",
                             .group = "X25519MLKEM768",
                             .alpn = "kith/1"};
  flow.rule = "identity demo/client";
  flow.bytes_sent = 700;
  flow.bytes_received = 1'234'567;
  flow.opened_at = At(std::chrono::seconds(0));
  flow.closed_at = At(std::chrono::seconds(2));
  flow.reason = CloseReason::kTruncated;
  flow.detail = "FIN without close_notify";
  flow.timing = {.hold = microseconds(10),
                 .attest = microseconds(20),
                 .dial = microseconds(30),
                 .handshake = microseconds(40),
                 .total = microseconds(100)};
  return flow;
}

AgentView::Status ExampleStatus() {
  AgentView::Status status;
  status.version = "1.2.3";
  status.pid = 77;
  status.started_at = At(std::chrono::seconds(0));
  status.trust_domain = "example.org";
  status.cgroup = "/sys/fs/cgroup/kith";
  status.issuer = "embedded CA";
  status.path = "userspace";
  status.path_reason = "no tls module";
  status.pinned = true;
  status.flow_store = "systemd";
  status.kept_flows = 3;
  status.identities = 2;
  status.services = 1;
  status.resources_error = "web.yaml:3: unknown key";
  status.open_flows = 1;
  status.totals = {
      .opened = 1'234,
      .closed = {{CloseReason::kClosed, 1'230}, {CloseReason::kDialFailed, 3}}};
  status.counters = {{"connect_captured", 1'234}, {"agent_away", 0}};
  status.namespaces = {{.netns_cookie = 1,
                        .name = "net:[4026531840]",
                        .outbound_port_v4 = 40'001,
                        .outbound_port_v6 = 0}};
  status.attested_processes = 5;
  status.federation.push_back({.trust_domain = "b.example",
                               .source = "https://b.example/",
                               .sequence = 7,
                               .last_error = absl::UnavailableError("gone"),
                               .stale = true});
  return status;
}

std::shared_ptr<const WorkloadIdentity> ExampleIdentity() {
  WorkloadIdentity identity;
  identity.name = "demo/client";
  identity.origin = "demo.yaml:1";
  identity.spiffe_id =
      SpiffeId::Parse("spiffe://example.org/demo/client").value();
  identity.selectors = {
      {{"process:name", {"curl"}}, {"process:uid", {"0", "1000"}}}};
  identity.dns_names = {"client.example.org"};
  identity.mode = TlsMode::kPermissive;
  identity.allowed_outbound = {{"spiffe://example.org/demo/server"}};
  return std::make_shared<const WorkloadIdentity>(std::move(identity));
}

AgentView::Explanation ExampleExplanation(uint32_t pid) {
  auto process = std::make_shared<AttestedProcess>();
  process->facts.tgid = pid;
  process->facts.start_time_ns = 1'500'000'000;
  process->facts.uid = 33;
  process->facts.gid = 34;
  process->name = "curl";
  process->cmdline = "curl http://10.0.0.2/";
  process->cgroup = "/kith/web";
  process->exe = "/usr/bin/curl";
  process->attestation.selectors = {{"process:name", "curl", "/proc/42/exe"},
                                    {"process:uid", "33", "/proc/42/status"}};
  process->attestation.failures = {
      {"cgroup", absl::PermissionDeniedError("open: permission denied")}};
  AgentView::Explanation explanation;
  explanation.process = std::move(process);
  explanation.in_managed_cgroup = true;
  IdentityVerdict verdict;
  verdict.identity = ExampleIdentity();
  verdict.missing = 1;
  verdict.maps = {{.terms = {{.key = "process:name",
                              .wanted = {"curl"},
                              .observed = {"curl"},
                              .source = "/proc/42/exe",
                              .matched = true},
                             {.key = "process:uid",
                              .wanted = {"0", "1000"},
                              .observed = {"33"},
                              .source = "/proc/42/status"},
                             {.key = "destination:port",
                              .wanted = {"80"},
                              .matched = true,
                              .depends_on_flow = true}}}};
  explanation.verdicts = {std::move(verdict)};
  return explanation;
}

TraceEvent ExampleEvent(const std::string &step, uint64_t flow_id) {
  TraceEvent event;
  event.at = At(std::chrono::seconds(0));
  event.since_start = microseconds(12);
  event.step = step;
  event.detail = "detail of " + step;
  event.flow = ExampleFlow();
  event.flow.id = flow_id;
  event.flow.state =
      step == "close" ? FlowState::kClosed : FlowState::kAttesting;
  return event;
}

}  // namespace kith
