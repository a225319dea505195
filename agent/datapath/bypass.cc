// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/bypass.h"

#include <algorithm>

namespace kith {
namespace {

constexpr uint16_t kEveryPort = 0;

bypass_key KeyOf(const Prefix &prefix, uint16_t port) {
  bypass_key key{};
  key.prefix_length = BYPASS_PORT_BITS + prefix.length;
  key.port[0] = static_cast<uint8_t>(port >> 8);
  key.port[1] = static_cast<uint8_t>(port & 0xff);
  std::copy(prefix.address.begin(), prefix.address.end(), key.address);
  return key;
}

absl::Status Enter(const bypass_key &key, BpfMaps &maps) {
  absl::Status entered = maps.bypass.Update(key, 1, BPF_ANY);
  if (entered.ok()) {
    return entered;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "datapath.bypass: too many rules (", entered.message(), ")"));
}

}  // namespace

absl::Status EnterBypassRules(const std::vector<BypassRule> &rules,
                              BpfMaps &maps) {
  for (const BypassRule &rule : rules) {
    std::vector<uint16_t> ports = rule.ports;
    if (ports.empty()) {
      ports.push_back(kEveryPort);
    }
    for (const uint16_t port : ports) {
      absl::Status entered = Enter(KeyOf(rule.destination, port), maps);
      if (!entered.ok()) {
        return entered;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace kith
