// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "agent/admin/explanation_json.h"
#include "agent/admin/flow_json.h"
#include "agent/admin/identity_json.h"
#include "agent/admin/status_json.h"
#include "agent/admin/trace_json.h"
#include "test/fakes/fake_agent_view.h"

namespace kith {
namespace {

TEST_CASE("a flow has the documented names, in order") {
  const std::string start = Rfc3339(SinceBoot(1'500'000'000));
  CHECK(
      DumpJson(FlowJson(ExampleFlow())) ==
      R"({"id":"9007199254740993","direction":"outbound","state":"closed",)"
      R"("mode":"mtls","path":"userspace","process":{"pid":42,"startTime":")" +
          start +
          R"(","name":"curl","cmdline":"curl http://10.0.0.2/",)"
          R"("cgroup":"/kith/web"},)"
          R"("local":{"spiffeId":"spiffe://example.org/demo/client",)"
          R"("svidSerial":"0a01"},)"
          R"("peer":{"spiffeId":"spiffe://example.org/demo/server",)"
          R"("svidSerial":"0b02","svidExpires":"2026-11-22T21:34:02.125Z"},)"
          R"("client":"10.0.0.1:40000","destination":"[fd00::2]:80",)"
          R"("tls":{"version":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256",)"
          R"("group":"X25519MLKEM768","alpn":"kith/1"},)"
          R"("rule":"identity demo/client","bytesSent":700,)"
          R"("bytesReceived":1234567,"openedAt":"2026-11-22T20:34:02.125Z",)"
          R"("closedAt":"2026-11-22T20:34:04.125Z","reason":"truncated",)"
          R"("detail":"FIN without close_notify",)"
          R"("timingMicros":{"hold":10,"attest":20,"dial":30,)"
          R"("handshake":40,"total":100}})");
}

TEST_CASE("absent facts of a flow are left out") {
  CHECK(DumpJson(FlowJson(FlowRecord{})) ==
        R"({"id":"0","direction":"outbound","state":"holding","path":"none",)"
        R"("bytesSent":0,"bytesReceived":0,)"
        R"("openedAt":"1970-01-01T00:00:00.000Z"})");
}

TEST_CASE("bytes that are no UTF-8 do not break a document") {
  FlowRecord flow;
  flow.process.pid = 1;
  flow.process.cmdline = "a\xff\"b";
  const Json json = ParseJson(DumpJson(FlowJson(flow)));
  REQUIRE(json.is_object());
  CHECK(json["process"]["cmdline"] == "a\xEF\xBF\xBD\"b");
}

TEST_CASE("the status has the documented names, in order") {
  const AgentView::Status status = ExampleStatus();
  CHECK(DumpJson(
            StatusJson(status, status.started_at + std::chrono::seconds(90))) ==
        R"({"version":"1.2.3","pid":77,)"
        R"("startedAt":"2026-11-22T20:34:02.125Z","uptimeSeconds":90,)"
        R"("trustDomain":"example.org","cgroup":"/sys/fs/cgroup/kith",)"
        R"("issuer":"embedded CA","path":"userspace",)"
        R"("pathReason":"no tls module","pinned":true,)"
        R"("flowStore":"systemd","keptFlows":3,)"
        R"("outerWatch":true,)"
        R"("identities":2,"services":1,)"
        R"("resourcesError":"web.yaml:3: unknown key","attestedProcesses":5,)"
        R"("federation":[{"trustDomain":"b.example",)"
        R"("source":"https://b.example/","sequence":7,)"
        R"("nextAttempt":"1970-01-01T00:00:00.000Z","stale":true,)"
        R"("error":"gone"}],)"
        R"("flows":{"open":1,"opened":1234,)"
        R"("closed":{"closed":1230,"dial_failed":3}},)"
        R"("namespaces":[{"name":"net:[4026531840]","netnsCookie":"1",)"
        R"("outboundPortV4":40001}],)"
        R"("counters":{"connect_captured":1234,"agent_away":0}})");
}

TEST_CASE("an identity without an SVID says why") {
  SvidState state;
  state.last_error = absl::UnavailableError("issuer is away");
  CHECK(DumpJson(IdentityJson({ExampleIdentity(), state})) ==
        R"({"name":"demo/client",)"
        R"("spiffeId":"spiffe://example.org/demo/client",)"
        R"("origin":"demo.yaml:1","mode":"PERMISSIVE",)"
        R"("selectors":[{"process:name":"curl","process:uid":["0","1000"]}],)"
        R"("dnsNames":["client.example.org"],)"
        R"("allowedSPIFFEIDs":{"outbound":)"
        R"(["spiffe://example.org/demo/server"]},)"
        R"("svidError":"issuer is away"})");
}

TEST_CASE("an explanation shows each selector and the nearest miss") {
  const Json json = ExplanationJson(ExampleExplanation(42));
  CHECK(json["process"]["pid"] == 42);
  CHECK(json["outcome"] == "none");
  CHECK(DumpJson(json["nearestMiss"]) ==
        R"({"name":"demo/client",)"
        R"("spiffeId":"spiffe://example.org/demo/client","missing":1})");
  CHECK(DumpJson(json["failures"]) ==
        R"([{"attestor":"cgroup","error":"open: permission denied"}])");
  CHECK(DumpJson(json["identities"][0]["maps"]) ==
        R"([{"matched":false,"terms":[)"
        R"({"key":"process:name","wanted":["curl"],"observed":["curl"],)"
        R"("source":"/proc/42/exe","verdict":"match"},)"
        R"({"key":"process:uid","wanted":["0","1000"],"observed":["33"],)"
        R"("source":"/proc/42/status","verdict":"mismatch"},)"
        R"({"key":"destination:port","wanted":["80"],)"
        R"("verdict":"depends_on_flow"}]}])");
}

TEST_CASE("an explanation names the winner or the tie") {
  AgentView::Explanation explanation = ExampleExplanation(42);
  explanation.choice.identity = ExampleIdentity();
  explanation.may_be_workload = true;
  Json json = ExplanationJson(explanation);
  CHECK(json["outcome"] == "identity");
  CHECK(DumpJson(json["untouched"]) == R"({"outbound":false,"inbound":false})");
  CHECK(json["identity"]["name"] == "demo/client");
  CHECK_FALSE(json.contains("nearestMiss"));

  explanation.untouched.outbound = true;
  json = ExplanationJson(explanation);
  CHECK(DumpJson(json["untouched"]) == R"({"outbound":true,"inbound":false})");

  explanation.untouched = {};
  explanation.choice.identity = nullptr;
  explanation.choice.tied = {"a", "b"};
  json = ExplanationJson(explanation);
  CHECK(json["outcome"] == "tie");
  CHECK(DumpJson(json["tied"]) == R"(["a","b"])");

  explanation.choice = {};
  explanation.choice.undetermined = {"a"};
  explanation.verdicts[0].maps[0].terms[1].unknown = true;
  json = ExplanationJson(explanation);
  CHECK(json["outcome"] == "undetermined");
  CHECK(DumpJson(json["undetermined"]) == R"(["a"])");
  CHECK(json["identities"][0]["maps"][0]["terms"][1]["verdict"] == "unknown");

  explanation.choice = {};
  CHECK(ExplanationJson(explanation)["outcome"] == "depends_on_flow");
}

TEST_CASE("a trace line has its step, its time and the flow") {
  const Json json = TraceEventJson(ExampleEvent("attest", 7));
  CHECK(json["at"] == "2026-11-22T20:34:02.125Z");
  CHECK(json["sinceStartMicros"] == 12);
  CHECK(json["step"] == "attest");
  CHECK(json["detail"] == "detail of attest");
  CHECK(json["flow"]["id"] == "7");
}

TEST_CASE("time since boot is wall time and does not wander") {
  const auto start = SinceBoot(1);
  CHECK(start < std::chrono::system_clock::now());
  CHECK(SinceBoot(1'000'000'001) - start == std::chrono::seconds(1));
}

}  // namespace
}  // namespace kith
