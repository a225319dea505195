// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/key_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>

#include "agent/identity/private_key.h"
#include "agent/runtime/secret_arena.h"

namespace kith {
namespace {

bool InArena(const void *address) {
  return SecretArena::Instance().Contains(address);
}

const BIGNUM *ScalarOf(const EVP_PKEY *key) {
  return EC_KEY_get0_private_key(EVP_PKEY_get0_EC_KEY(key));
}

TEST_CASE("a generated key lies in locked memory") {
  auto key = GeneratePrivateKey();
  REQUIRE(key.ok());
  CHECK(HasProtectedKey(key->get()));
  CHECK(InArena(key->get()));
}

TEST_CASE("a parsed key lies in locked memory, and is the same key") {
  auto key = GeneratePrivateKey();
  REQUIRE(key.ok());
  auto pem = EncodePrivateKey(key->get());
  REQUIRE(pem.ok());
  const auto text = std::as_const(*pem).bytes();
  CHECK(InArena(text.data()));
  auto parsed = ParsePrivateKey(text);
  REQUIRE(parsed.ok());
  CHECK(HasProtectedKey(parsed->get()));
  CHECK(EVP_PKEY_cmp(key->get(), parsed->get()) == 1);
}

TEST_CASE("a key is wiped when it is freed") {
  auto key = GeneratePrivateKey();
  REQUIRE(key.ok());
  const auto *where =
      reinterpret_cast<const unsigned char *>(ScalarOf(key->get()));
  // The scalar's words follow its BIGNUM in the same allocation.
  const size_t bytes = SecretArena::Instance().SizeOf(where);
  key->reset();
  CHECK(std::all_of(where, where + bytes, [](auto b) { return b == 0; }));
}

TEST_CASE("outside of a scope the library uses the ordinary heap") {
  void *heap = OPENSSL_malloc(100);
  CHECK_FALSE(InArena(heap));
  void *locked = nullptr;
  {
    KeyMemoryScope scope;
    KeyMemoryScope nested;
    locked = OPENSSL_malloc(100);
  }
  CHECK(InArena(locked));
  OPENSSL_free(heap);
  OPENSSL_free(locked);
}

TEST_CASE("a buffer that grows keeps its bytes") {
  KeyMemoryScope scope;
  auto *bytes = static_cast<char *>(OPENSSL_malloc(40));
  std::memset(bytes, 'k', 40);
  bytes = static_cast<char *>(OPENSSL_realloc(bytes, 5000));
  REQUIRE(bytes != nullptr);
  CHECK(InArena(bytes));
  CHECK(std::all_of(bytes, bytes + 40, [](char c) { return c == 'k'; }));
  OPENSSL_free(bytes);
}

TEST_CASE("a full arena refuses keys instead of using other memory") {
  std::vector<Secret> held;
  for (size_t size = SecretArena::kMaxPiece; size >= 16; size /= 2) {
    for (;;) {
      auto secret = Secret::Create(size);
      if (!secret.ok()) {
        break;
      }
      held.push_back(*std::move(secret));
    }
  }
  CHECK(GeneratePrivateKey().status().code() ==
        absl::StatusCode::kResourceExhausted);
  held.clear();
  CHECK(GeneratePrivateKey().ok());
}

TEST_CASE("a thousand keys stay far below the bound") {
  std::vector<bssl::UniquePtr<EVP_PKEY>> keys;
  for (int i = 0; i < 1000; ++i) {
    auto key = GeneratePrivateKey();
    REQUIRE(key.ok());
    keys.push_back(*std::move(key));
  }
  CHECK(keys.size() == 1000);
}

TEST_CASE("texts that are no P-256 key") {
  const auto parse = [](std::string_view text) {
    return ParsePrivateKey(
               {reinterpret_cast<const uint8_t *>(text.data()), text.size()})
        .status()
        .code();
  };
  CHECK(parse("") == absl::StatusCode::kInvalidArgument);
  CHECK(parse("-----BEGIN PRIVATE KEY-----\nAAAA\n"
              "-----END PRIVATE KEY-----\n") ==
        absl::StatusCode::kInvalidArgument);
  // openssl genpkey -algorithm ed25519
  CHECK(
      parse("-----BEGIN PRIVATE KEY-----\n"
            "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
            "-----END PRIVATE KEY-----\n") ==
      absl::StatusCode::kInvalidArgument);
}

TEST_CASE("public keys of other kinds are refused") {
  auto key = GeneratePrivateKey();
  REQUIRE(key.ok());
  auto der = PublicKeyOf(key->get());
  REQUIRE(der.ok());
  CHECK(ParsePublicKey(*der).ok());
  Der longer = *der;
  longer.push_back(0);
  CHECK_FALSE(ParsePublicKey(longer).ok());
  CHECK_FALSE(ParsePublicKey({}).ok());
}

}  // namespace
}  // namespace kith
