// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>

#include <memory>

#include "absl/status/statusor.h"

#include "abi/control.h"
#include "abi/identity.h"
#include "abi/listener.h"
#include "abi/outer.h"
#include "abi/pass.h"
#include "agent/datapath/bpf_map.h"

namespace kith {

// BpfMaps are the maps of the loaded programs (bpf/maps.bpf.h) that the agent
// reads and writes. A shared_ptr keeps the maps alive, also after the programs
// are destroyed.
struct BpfMaps {
  BpfMap<process_facts, process_verdict_entry> verdicts;
  BpfMap<destination_key, uint64_t> destinations;
  BpfMap<uint32_t, exec_record> execs;
  BpfMap<uint64_t, captured_socket> captured;
  BpfMap<flow_tuple, uint64_t> tuples;
  BpfMap<listener_key, listener_entry> listeners;
  BpfMap<listener_key, listener_verdict_entry> listener_verdicts;
  BpfMap<uint64_t, listener_key> listening;
  BpfMap<flow_tuple, inbound_entry> inbound;
  BpfMap<uint64_t, socket_identity> identities;
  BpfMap<agent_listener_key, uint64_t> agent_listeners;
  BpfMap<uint64_t, netns_presence> namespaces;
  BpfMap<bypass_key, uint32_t> bypass;
  BpfMap<int, ::outer_watch> outer_watch;  // by descriptor
  BpfMap<pass_key, pass_entry> passes;
  BpfMap<uint64_t, uint64_t> pass_listeners;
  BpfMap<uint64_t, direct_flow> directs;
  BpfMap<flow_tuple, direct_tuple> direct_tuples;
  FileDescriptor control;
  FileDescriptor counters;
  FileDescriptor events;

  // From returns the maps of a loaded object.
  static absl::StatusOr<std::shared_ptr<BpfMaps>> From(
      const bpf_object *object);
};

// ShareMaps makes `object`, which is not loaded yet, use the maps of `from`.
absl::Status ShareMaps(const bpf_object *from, bpf_object *object);

}  // namespace kith
