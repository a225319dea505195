// SPDX-License-Identifier: Apache-2.0
#include "agent/identity/key_memory.h"

#include <malloc.h>
#include <string.h>

#include <cstdlib>

#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "agent/runtime/secret_arena.h"

namespace kith {
namespace {

thread_local int scope_depth = 0;

}  // namespace

KeyMemoryScope::KeyMemoryScope() {
  // The library allocates its per-thread states on first use. They must not be
  // in the arena: a fork wipes it, and they hold pointers.
  ERR_clear_error();
  uint8_t unused = 0;
  (void)RAND_bytes(&unused, sizeof unused);
  ++scope_depth;
}

KeyMemoryScope::~KeyMemoryScope() {
  --scope_depth;
}

bool HasProtectedKey(const EVP_PKEY *key) {
  const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
  const BIGNUM *scalar = ec == nullptr ? nullptr : EC_KEY_get0_private_key(ec);
  return scalar != nullptr && SecretArena::Instance().Contains(scalar);
}

}  // namespace kith

// The names are the library's.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

void *OPENSSL_memory_alloc(size_t size) {
  if (kith::scope_depth == 0) {
    return std::malloc(size);
  }
  absl::StatusOr<uint8_t *> piece =
      kith::SecretArena::Instance().Allocate(size);
  return piece.ok() ? *piece : nullptr;
}

void OPENSSL_memory_free(void *pointer) {
  if (kith::SecretArena::Instance().Contains(pointer)) {
    kith::SecretArena::Instance().Free(pointer);
    return;
  }
  ::explicit_bzero(pointer, ::malloc_usable_size(pointer));
  std::free(pointer);
}

size_t OPENSSL_memory_get_size(void *pointer) {
  return kith::SecretArena::Instance().Contains(pointer)
             ? kith::SecretArena::Instance().SizeOf(pointer)
             : ::malloc_usable_size(pointer);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
