// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/base.h>

namespace kith {

// KeyMemoryScope makes every allocation of the crypto library on this thread
// come from the SecretArena while the scope lives. A key that is made or parsed
// inside a scope stays in the arena until it is freed anywhere.
//
// BoringSSL calls OPENSSL_memory_alloc, OPENSSL_memory_free and
// OPENSSL_memory_get_size for its whole heap if a program defines them
// (crypto/mem.cc). Outside of a scope they do what the library does by default:
// malloc, and wipe before free. The whole heap is not in locked memory, because
// that would lock the record buffers of every flow.
class KeyMemoryScope {
 public:
  KeyMemoryScope();
  ~KeyMemoryScope();
  KeyMemoryScope(const KeyMemoryScope &) = delete;
  KeyMemoryScope &operator=(const KeyMemoryScope &) = delete;
};

// HasProtectedKey returns whether the private scalar of an EC key is in the
// SecretArena; false if the linker or the library dropped the hooks.
bool HasProtectedKey(const EVP_PKEY *key);

}  // namespace kith
