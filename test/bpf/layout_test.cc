// SPDX-License-Identifier: Apache-2.0
// The structs that hooks and agent share: what clang laid out for BPF is what
// this compiler laid out.
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "abi/control.h"
#include "abi/event.h"
#include "abi/identity.h"
#include "abi/listener.h"
#include "abi/outer.h"
#include "abi/pass.h"
#include "egress.skel.h"
#include "kith.skel.h"

namespace kith {
namespace {

struct Field {
  std::string name;
  size_t offset;
};

struct Layout {
  std::string name;
  size_t size;
  std::vector<Field> fields;
};

#define FIELD(type, name)       \
  Field {                       \
#name, offsetof(type, name) \
  }

const std::vector<Layout> &Layouts() {
  static const std::vector<Layout> layouts = {
      {"process_facts",
       sizeof(process_facts),
       {FIELD(process_facts, start_time_ns),
        FIELD(process_facts, exec_id),
        FIELD(process_facts, cgroup_id),
        FIELD(process_facts, tgid),
        FIELD(process_facts, uid),
        FIELD(process_facts, gid),
        FIELD(process_facts, reserved)}},
      {"process_image",
       sizeof(process_image),
       {FIELD(process_image, exe_inode),
        FIELD(process_image, exe_dev),
        FIELD(process_image, reserved),
        FIELD(process_image, comm)}},
      {"process_verdict_entry",
       sizeof(process_verdict_entry),
       {FIELD(process_verdict_entry, policy_generation),
        FIELD(process_verdict_entry, verdict),
        FIELD(process_verdict_entry, reserved)}},
      {"exec_record",
       sizeof(exec_record),
       {FIELD(exec_record, start_time_ns), FIELD(exec_record, exec_id)}},
      {"live_process",
       sizeof(live_process),
       {FIELD(live_process, process),
        FIELD(live_process, image),
        FIELD(live_process, netns_cookie)}},
      {"flow_endpoint",
       sizeof(flow_endpoint),
       {FIELD(flow_endpoint, address),
        FIELD(flow_endpoint, port),
        FIELD(flow_endpoint, reserved)}},
      {"flow_tuple",
       sizeof(flow_tuple),
       {FIELD(flow_tuple, netns_cookie),
        FIELD(flow_tuple, local),
        FIELD(flow_tuple, remote)}},
      {"flow_origin",
       sizeof(flow_origin),
       {FIELD(flow_origin, process),
        FIELD(flow_origin, image),
        FIELD(flow_origin, destination),
        FIELD(flow_origin, netns_cookie),
        FIELD(flow_origin, socket_cookie),
        FIELD(flow_origin, connected_at_ns)}},
      {"captured_socket",
       sizeof(captured_socket),
       {FIELD(captured_socket, origin), FIELD(captured_socket, listener)}},
      {"listener_key",
       sizeof(listener_key),
       {FIELD(listener_key, netns_cookie), FIELD(listener_key, local)}},
      {"listener_entry",
       sizeof(listener_entry),
       {FIELD(listener_entry, process),
        FIELD(listener_entry, image),
        FIELD(listener_entry, socket_cookie),
        FIELD(listener_entry, v6only),
        FIELD(listener_entry, sockets),
        FIELD(listener_entry, followed),
        FIELD(listener_entry, reserved)}},
      {"listener_verdict_entry",
       sizeof(listener_verdict_entry),
       {FIELD(listener_verdict_entry, socket_cookie),
        FIELD(listener_verdict_entry, policy_generation),
        FIELD(listener_verdict_entry, verdict),
        FIELD(listener_verdict_entry, reserved)}},
      {"destination_key",
       sizeof(destination_key),
       {FIELD(destination_key, process),
        FIELD(destination_key, netns_cookie),
        FIELD(destination_key, destination)}},
      {"live_listener",
       sizeof(live_listener),
       {FIELD(live_listener, key), FIELD(live_listener, entry)}},
      {"inbound_entry",
       sizeof(inbound_entry),
       {FIELD(inbound_entry, client),
        FIELD(inbound_entry, agent_cookie),
        FIELD(inbound_entry, dialing),
        FIELD(inbound_entry, reserved)}},
      {"shown_identity",
       sizeof(shown_identity),
       {FIELD(shown_identity, enabled),
        FIELD(shown_identity, mtls_type),
        FIELD(shown_identity, spiffe_id),
        FIELD(shown_identity, peer_spiffe_id),
        FIELD(shown_identity, alpn)}},
      {"socket_identity",
       sizeof(socket_identity),
       {FIELD(socket_identity, shown), FIELD(socket_identity, reserved)}},
      {"agent_listener_key",
       sizeof(agent_listener_key),
       {FIELD(agent_listener_key, netns_cookie),
        FIELD(agent_listener_key, role),
        FIELD(agent_listener_key, family)}},
      {"netns_presence",
       sizeof(netns_presence),
       {FIELD(netns_presence, state), FIELD(netns_presence, reserved)}},
      {"process_event",
       sizeof(process_event),
       {FIELD(process_event, kind),
        FIELD(process_event, tgid),
        FIELD(process_event, netns_cookie)}},
      {"datapath_control",
       sizeof(datapath_control),
       {FIELD(datapath_control, policy_generation),
        FIELD(datapath_control, agent_start_time_ns),
        FIELD(datapath_control, agent_tgid),
        FIELD(datapath_control, listeners_lost),
        FIELD(datapath_control, resolve),
        FIELD(datapath_control, pass_listener)}},
      {"bypass_key",
       sizeof(bypass_key),
       {FIELD(bypass_key, prefix_length),
        FIELD(bypass_key, port),
        FIELD(bypass_key, address),
        FIELD(bypass_key, reserved)}},
  };
  return layouts;
}

const std::vector<Layout> &EgressLayouts() {
  static const std::vector<Layout> layouts = {
      {"outer_event",
       sizeof(outer_event),
       {FIELD(outer_event, kind),
        FIELD(outer_event, reserved),
        FIELD(outer_event, flow)}},
      {"outer_watch",
       sizeof(outer_watch),
       {FIELD(outer_watch, flow),
        FIELD(outer_watch, header_seq),
        FIELD(outer_watch, state),
        FIELD(outer_watch, held),
        FIELD(outer_watch, reported),
        FIELD(outer_watch, header),
        FIELD(outer_watch, reserved)}},
  };
  return layouts;
}

const std::vector<Layout> &PassLayouts() {
  static const std::vector<Layout> layouts = {
      {"pass_key",
       sizeof(pass_key),
       {FIELD(pass_key, client),
        FIELD(pass_key, netns_cookie),
        FIELD(pass_key, destination)}},
      {"pass_entry",
       sizeof(pass_entry),
       {FIELD(pass_entry, id),
        FIELD(pass_entry, policy_generation),
        FIELD(pass_entry, expires_at_ns),
        FIELD(pass_entry, listener),
        FIELD(pass_entry, listener_cookie)}},
      {"direct_flow",
       sizeof(direct_flow),
       {FIELD(direct_flow, origin),
        FIELD(direct_flow, client),
        FIELD(direct_flow, pass),
        FIELD(direct_flow, listener_cookie),
        FIELD(direct_flow, bytes_sent),
        FIELD(direct_flow, bytes_received),
        FIELD(direct_flow, opened_at_ns),
        FIELD(direct_flow, state),
        FIELD(direct_flow, assigned),
        FIELD(direct_flow, closed_from),
        FIELD(direct_flow, error)}},
      {"direct_tuple",
       sizeof(direct_tuple),
       {FIELD(direct_tuple, cookie), FIELD(direct_tuple, pass)}},
      {"direct_event",
       sizeof(direct_event),
       {FIELD(direct_event, kind),
        FIELD(direct_event, reserved),
        FIELD(direct_event, cookie)}},
  };
  return layouts;
}

Layout Find(const btf *types, const std::string &name) {
  const int id = btf__find_by_name_kind(types, name.c_str(), BTF_KIND_STRUCT);
  REQUIRE(id > 0);
  const btf_type *type = btf__type_by_id(types, static_cast<uint32_t>(id));
  Layout layout{name, type->size, {}};
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    const btf_member &member = btf_members(type)[i];
    layout.fields.push_back({btf__name_by_offset(types, member.name_off),
                             btf_member_bit_offset(type, i) / 8});
  }
  return layout;
}

// Compares with the type information of an object that the agent loads.
void RequireSame(const bpf_object *object, const std::vector<Layout> &layouts) {
  for (const Layout &expected : layouts) {
    INFO(expected.name);
    const Layout found = Find(bpf_object__btf(object), expected.name);
    CHECK(found.size == expected.size);
    REQUIRE(found.fields.size() == expected.fields.size());
    for (size_t i = 0; i < found.fields.size(); ++i) {
      CHECK(found.fields[i].name == expected.fields[i].name);
      CHECK(found.fields[i].offset == expected.fields[i].offset);
    }
  }
}

TEST_CASE("shared structs have one layout in BPF and C++") {
  kith_bpf *hooks = kith_bpf__open();
  REQUIRE(hooks != nullptr);
  RequireSame(hooks->obj, Layouts());
  RequireSame(hooks->obj, PassLayouts());
  kith_bpf__destroy(hooks);
  egress_bpf *egress = egress_bpf__open();
  REQUIRE(egress != nullptr);
  RequireSame(egress->obj, EgressLayouts());
  egress_bpf__destroy(egress);
}

}  // namespace
}  // namespace kith
