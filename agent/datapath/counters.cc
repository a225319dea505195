// SPDX-License-Identifier: Apache-2.0
#include "agent/datapath/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <numeric>

#include "abi/counters.h"

namespace kith {
namespace {

#define KITH_COUNTER_NAME(suffix, name) #name,
constexpr const char *kNames[] = {KITH_COUNTERS(KITH_COUNTER_NAME)};
#undef KITH_COUNTER_NAME

}  // namespace

std::vector<NamedCounter> ReadCounters(int map_fd) {
  std::vector<NamedCounter> counters;
  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) {
    return counters;
  }
  std::vector<uint64_t> values(static_cast<size_t>(processors));
  for (uint32_t key = 0; key < COUNTER_COUNT; ++key) {
    if (bpf_map_lookup_elem(map_fd, &key, values.data()) == 0) {
      counters.push_back(
          {kNames[key],
           std::accumulate(values.begin(), values.end(), uint64_t{0})});
    }
  }
  return counters;
}

}  // namespace kith
