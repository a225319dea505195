// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>

#include "kith/endpoint.h"

namespace kith {

// KnownPeers remembers destinations with one property: they completed mutual
// TLS, so that a PERMISSIVE flow to them is never sent in plaintext, or they
// refuse our ALPN name. Thread-safe.
class KnownPeers {
 public:
  // Enough for the services of a cluster. The oldest destination is forgotten
  // first; its next flow enters it again.
  static constexpr size_t kMaxPeers = 4096;

  void Learn(uint64_t netns_cookie, const Endpoint &destination);
  bool Knows(uint64_t netns_cookie, const Endpoint &destination) const;

 private:
  struct Key {
    uint64_t netns_cookie = 0;
    std::array<uint8_t, 16> address{};
    uint16_t port = 0;
    auto operator<=>(const Key &) const = default;
  };

  mutable std::mutex mutex_;
  std::map<Key, std::list<Key>::iterator> peers_;
  std::list<Key> oldest_first_;
};

}  // namespace kith
