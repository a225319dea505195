// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/base.h>

namespace kith {

// KeyMemoryScope makes every allocation that the crypto library does on this
// thread come from the SecretArena while the scope lives. Keys that are made or
// parsed inside stay there for their whole life, wherever they are freed.
//
// BoringSSL calls OPENSSL_memory_alloc, OPENSSL_memory_free and
// OPENSSL_memory_get_size for its whole heap where a program defines them
// (crypto/mem.cc). Outside of a scope they do what the library does by itself:
// malloc, and wipe before free. Putting the whole heap of the library into
// locked memory would lock the record buffers of every flow.
class KeyMemoryScope {
 public:
  KeyMemoryScope();
  ~KeyMemoryScope();
  KeyMemoryScope(const KeyMemoryScope &) = delete;
  KeyMemoryScope &operator=(const KeyMemoryScope &) = delete;
};

// HasProtectedKey returns whether the private scalar of an EC key lies in the
// SecretArena. False if the linker or the library dropped the hooks.
bool HasProtectedKey(const EVP_PKEY *key);

}  // namespace kith
