// SPDX-License-Identifier: Apache-2.0
#include "agent/handshake/tls_contexts.h"

#include "test/unit/handshake/handshake_fixture.h"

namespace kith {
namespace {

TlsContexts::Callbacks NoCallbacks() {
  return {.verify = [](SSL *, uint8_t *) { return ssl_verify_invalid; },
          .on_event = [](const SSL *, int, int) {}};
}

TEST_CASE("a context is made once for an SVID and a role") {
  TestTrust trust;
  TlsContexts contexts(NoCallbacks());
  auto svid = trust.MakeSvid("a");
  auto client = contexts.Get(svid, TlsRole::kClient).value();
  auto server = contexts.Get(svid, TlsRole::kServer).value();
  CHECK(client != server);
  CHECK(contexts.Get(svid, TlsRole::kClient).value() == client);
  CHECK(contexts.size() == 2);
}

TEST_CASE("contexts of SVIDs that are gone are dropped") {
  TestTrust trust;
  TlsContexts contexts(NoCallbacks());
  for (int rotation = 0; rotation < 5; ++rotation) {
    REQUIRE(contexts.Get(trust.MakeSvid("a"), TlsRole::kClient).ok());
  }
  CHECK(contexts.size() == 1);
}

TEST_CASE("the number of contexts is bounded") {
  TestTrust trust;
  TlsContexts contexts(NoCallbacks());
  std::vector<std::shared_ptr<const X509Svid>> svids;
  for (size_t i = 0; i < TlsContexts::kMaxContexts + 3; ++i) {
    svids.push_back(trust.MakeSvid("a"));
    REQUIRE(contexts.Get(svids.back(), TlsRole::kServer).ok());
  }
  CHECK(contexts.size() == TlsContexts::kMaxContexts);
}

}  // namespace
}  // namespace kith
