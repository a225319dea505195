// SPDX-License-Identifier: Apache-2.0
// The incremental form of Envoy's secret discovery service.
#include <set>
#include <string>
#include <vector>

#include <catch2/generators/catch_generators.hpp>

#include "test/unit/workloadapi/secrets_fixture.h"

namespace kith {
namespace {

using Names = std::vector<std::string>;

// What a response says, resources by their names.
struct Changes {
  explicit Changes(const std::string &text) {
    const Fields fields = Parse(text);
    nonce = Only(fields, 5);
    CHECK(Only(fields, 4) == kType);
    for (auto [it, end] = fields.equal_range(2); it != end; ++it) {
      const Fields resource = Parse(it->second);
      const std::string name = Only(resource, 3);
      versions[name] = Only(resource, 1);
      const Fields any = Parse(Only(resource, 2));
      CHECK(Only(any, 1) == kType);
      secrets[name] = Parse(Only(any, 2));
      CHECK(Only(secrets[name], 1) == name);
    }
    for (auto [it, end] = fields.equal_range(6); it != end; ++it) {
      removed.push_back(it->second);
    }
  }
  std::string nonce;
  std::map<std::string, Fields> secrets;
  std::map<std::string, std::string> versions;
  Names removed;
};

struct ChangesFixture : SecretsFixture {
  static std::string Delta(const Names &subscribe,
                           const Names &unsubscribe = {},
                           const std::map<std::string, std::string> &has = {}) {
    DeltaDiscoveryRequest request;
    request.mutable_resource_names_subscribe()->Assign(subscribe.begin(),
                                                       subscribe.end());
    request.mutable_resource_names_unsubscribe()->Assign(unsubscribe.begin(),
                                                         unsubscribe.end());
    request.set_type_url(kType);
    for (const auto &[name, version] : has) {
      (*request.mutable_initial_resource_versions())[name] = version;
    }
    return WithPrefix(request.SerializeAsString());
  }
  int32_t Subscribe(const std::string &request) {
    return client.Call(FieldsOf("DeltaSecrets"), request, false);
  }
  Changes AwaitChanges(int32_t stream, size_t count) {
    const GrpcAnswer &answer = client.AwaitMessages(stream, count);
    INFO(answer.text());
    REQUIRE(answer.messages.size() == count);
    return Changes(answer.messages.back());
  }
};

TEST_CASE_METHOD(ChangesFixture, "only what changed is told") {
  const int32_t stream = Subscribe(Delta({"default", "ROOTCA"}));
  const Changes first = AwaitChanges(stream, 1);
  REQUIRE(first.secrets.size() == 2);
  RequireCertificate(first.secrets.at("default"));
  CHECK(TrustDomainsOf(first.secrets.at("ROOTCA")).contains("example.org"));
  source.Rotate();
  api->NotifyChanged();
  const Changes second = AwaitChanges(stream, 2);
  REQUIRE(second.secrets.size() == 1);
  RequireCertificate(second.secrets.at("default"));
  CHECK(second.nonce != first.nonce);
  CHECK(second.versions.at("default") != first.versions.at("default"));
}

TEST_CASE_METHOD(ChangesFixture,
                 "names come and go, whatever was acknowledged") {
  const int32_t stream = Subscribe(Delta({"default"}));
  (void)AwaitChanges(stream, 1);
  client.SendMore(stream, Delta({"ROOTCA"}, {"default"}));
  const Changes second = AwaitChanges(stream, 2);
  CHECK(second.secrets.size() == 1);
  CHECK(second.secrets.contains("ROOTCA"));
  source.Rotate();
  api->NotifyChanged();
  // Who asks again is told again; of "default" nothing was said.
  client.SendMore(stream, Delta({"ROOTCA"}));
  const Changes third = AwaitChanges(stream, 3);
  CHECK(third.secrets.size() == 1);
  CHECK(third.secrets.contains("ROOTCA"));
}

TEST_CASE_METHOD(ChangesFixture, "a peer that comes back tells what it has") {
  const Changes before =
      AwaitChanges(Subscribe(Delta({"default", "ROOTCA"})), 1);
  source.Rotate();
  const int32_t stream =
      Subscribe(Delta({"default", "ROOTCA"}, {}, before.versions));
  const Changes after = AwaitChanges(stream, 1);
  CHECK(after.secrets.size() == 1);
  CHECK(after.secrets.contains("default"));
}

TEST_CASE_METHOD(ChangesFixture, "the wildcard, and what leaves it") {
  const bool explicitly = GENERATE(true, false);
  AddDomain("other.org", true);
  const int32_t stream = Subscribe(Delta(explicitly ? Names{"*"} : Names{}));
  CHECK(AwaitChanges(stream, 1).secrets.size() == 3);
  source.SetBundle(
      TrustBundle::Create({source.issuer().FetchAuthorities().value()})
          .value());
  api->NotifyChanged();
  const Changes second = AwaitChanges(stream, 2);
  CHECK(second.secrets.empty());
  CHECK(second.removed == Names{"spiffe://other.org"});
}

TEST_CASE_METHOD(ChangesFixture, "a name that is gone takes no other with it") {
  AddDomain("other.org", true);
  const int32_t stream = Subscribe(Delta({"default", "spiffe://other.org"}));
  CHECK(AwaitChanges(stream, 1).secrets.size() == 2);
  source.SetBundle(
      TrustBundle::Create({source.issuer().FetchAuthorities().value()})
          .value());
  api->NotifyChanged();
  CHECK(AwaitChanges(stream, 2).removed == Names{"spiffe://other.org"});
  source.Rotate();
  api->NotifyChanged();
  RequireCertificate(AwaitChanges(stream, 3).secrets.at("default"));
  AddDomain("other.org", true);
  api->NotifyChanged();
  CHECK(AwaitChanges(stream, 4).secrets.contains("spiffe://other.org"));
}

TEST_CASE_METHOD(ChangesFixture,
                 "a slow reader loses no change, nor may stay") {
  GrpcClient slow(path, 100);
  const int32_t stream =
      slow.Call(FieldsOf("DeltaSecrets"), Delta({"default"}), false);
  slow.AwaitBytes(stream, 100);
  slow.SendMore(stream, Delta({"ROOTCA"}));
  source.Rotate();
  api->NotifyChanged();
  slow.OpenWindow(stream, 1 << 20);
  // Both arrive, together or one after the other.
  std::set<std::string> names;
  for (size_t count = 2; names.size() < 2; ++count) {
    const GrpcAnswer &answer = slow.AwaitMessages(stream, count);
    REQUIRE(answer.messages.size() == count);
    for (const auto &[name, secret] : Changes(answer.messages.back()).secrets) {
      names.insert(name);
    }
  }
  GrpcClient deaf(path, 100);
  const int32_t kept =
      deaf.Call(FieldsOf("DeltaSecrets"), Delta({"default"}), false);
  deaf.AwaitBytes(kept, 100);
  const int before = source.identified();
  source.Serve(absl::PermissionDeniedError("no selectors match"));
  api->NotifyChanged();
  CHECK(slow.AwaitEnd(stream).code() == kPermissionDenied);
  CHECK(source.identified() > before);
  deaf.OpenWindow(kept, 1 << 20);
  CHECK(deaf.AwaitEnd(kept).code() == kPermissionDenied);
  CHECK(deaf.at(kept).messages.size() == 1);
}

TEST_CASE_METHOD(ChangesFixture, "other types on a stream are left alone") {
  const auto fields = AggregatedFieldsOf("DeltaAggregatedResources");
  DeltaDiscoveryRequest clusters;
  clusters.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  const int32_t stream =
      client.Call(fields, WithPrefix(clusters.SerializeAsString()), false);
  client.SendMore(stream, Delta({"default"}));
  CHECK(AwaitChanges(stream, 1).secrets.contains("default"));
}

TEST_CASE_METHOD(ChangesFixture, "changes by a stream of any type") {
  const auto fields = AggregatedFieldsOf("DeltaAggregatedResources");
  CHECK(AwaitChanges(client.Call(fields, Delta({"default"}), false), 1)
            .secrets.contains("default"));
}

TEST_CASE_METHOD(ChangesFixture, "requests that are refused end their stream") {
  const auto code = [&](const std::string &request) {
    return client.AwaitEnd(Subscribe(request)).code();
  };
  CHECK(code(Delta({"nonsense"})) == kInvalidArgument);
  CHECK(code(Delta({"spiffe://example.org/demo/other"})) == kPermissionDenied);
  CHECK(code(WithPrefix("\xff\xff")) == kInternal);
  DeltaDiscoveryRequest other;
  other.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  CHECK(code(WithPrefix(other.SerializeAsString())) == kInvalidArgument);
  source.Serve(absl::PermissionDeniedError("no selectors match"));
  CHECK(code(Delta({"default"})) == kPermissionDenied);
}

TEST_CASE_METHOD(ChangesFixture, "requests faster than their answers are cut") {
  std::string many;
  for (size_t i = 0; i < 10'000; ++i) {
    many += Delta({"default"});
  }
  const GrpcAnswer &answer =
      client.AwaitEnd(client.Call(FieldsOf("DeltaSecrets"), many, false));
  CHECK(answer.code() == kResourceExhausted);
  CHECK(answer.text().find("requests without an answer: 65") == 0);
}

}  // namespace
}  // namespace kith
