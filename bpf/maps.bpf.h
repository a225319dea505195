/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map. The object of each hook file declares all of them; they are shared by name. */
#ifndef KITH_MAPS_BPF_H
#define KITH_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "abi/control.h"
#include "abi/counters.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/identity.h"
#include "abi/listener.h"
#include "abi/outer.h"
#include "abi/pass.h"
#include "abi/process.h"

/* The kernel's own default for pid_max: more processes than that need a verdict seldom. */
#define MAX_PROCESSES 32768

/*
 * Captured flows of the machine, more than the ephemeral ports of a namespace (28,232): all its
 * flows go to one port of the agent. The kernel allocates the tables at once, 11 MB for these.
 */
#define MAX_CAPTURED 32768

/* Listening sockets: one for each port there is. Allocated as they come. */
#define MAX_LISTENERS 65536

/* Of those, the ones that come and go, or are left alone, at one time. Allocated at once. */
#define MAX_RECENT_LISTENERS 16384

/*
 * Destinations that are left alone for a process that is wrapped elsewhere: 16 for each of a thousand
 * workloads. Allocated at once, 3 MB.
 */
#define MAX_DESTINATIONS 16384

/* Network namespaces: four times the largest number of pods of a node that is supported. */
#define MAX_NETNS	    1024

#define MAX_AGENT_LISTENERS (4 * MAX_NETNS) /* two roles, two families */

/* Rules are looked up on each captured connect(); configuration files stay far below. */
#define MAX_BYPASS_RULES 1024

/* Passes, and flows that had one, at a time: without one, a flow goes through the agent. */
#define MAX_PASSES	   8192
#define MAX_DIRECT	   32768
#define MAX_PASS_LISTENERS 4096

/* 10,000 events of 24 bytes: the agent would have to sleep for seconds on a busy machine. */
#define EVENT_BUFFER_BYTES (256 * 1024)

/*
 * process_facts -> verdict. Written by the agent (attestation) and at fork (inheritance), deleted
 * at exec and exit. LRU: a verdict that is pushed out is "unknown" again, which is safe.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_PROCESSES);
	__type(key, struct process_facts);
	__type(value, struct process_verdict_entry);
} verdicts SEC(".maps");

/*
 * Process and destination -> policy generation of the decision that its connect() goes as asked.
 * Written by the agent, where policy wraps other flows of the process. A child has other facts, and
 * so has the process after exec: nobody deletes. LRU: one that is pushed out is relayed once more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_DESTINATIONS);
	__type(key, struct destination_key);
	__type(value, __u64);
} destinations SEC(".maps");

/*
 * tgid -> newest exec. Written at exec, marked at exit. LRU: without a record, exec is noticed by
 * the key of `verdicts`, and for listeners by the agent, which then takes their verdicts back.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_PROCESSES);
	__type(key, __u32);
	__type(value, struct exec_record);
} execs SEC(".maps");

/*
 * Application's socket cookie -> where it wanted to go. Written by connect, read by sockops,
 * getpeername and the agent, deleted by the agent when the flow ends and by sockops when the
 * connect() failed. LRU: some connect() calls end without any hook; a live record that is pushed
 * out makes the agent reset the flow.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_CAPTURED);
	__type(key, __u64);
	__type(value, struct captured_socket);
} captured SEC(".maps");

/*
 * Tuple of the agent's accepted socket -> application's socket cookie. Written and deleted as
 * `captured`, sized as it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_CAPTURED);
	__type(key, struct flow_tuple);
	__type(value, __u64);
} tuples SEC(".maps");

/*
 * Local address -> who listens there. Written by sockops and the seed alone, in place. The hooks only lower `sockets`; the agent deletes entries with none left, because a hook that
 * deleted would race with the next listen() at the same address. Not LRU: a forgotten listener
 * would be open to strangers. When full: listeners_lost in `control`.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_LISTENERS);
	__type(key, struct listener_key);
	__type(value, struct listener_entry);
} listeners SEC(".maps");

/*
 * Local address -> verdict of the listener. Written by the agent, and deleted by it when the owner
 * does exec or exits. LRU: one that is pushed out is "unknown" again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_RECENT_LISTENERS);
	__type(key, struct listener_key);
	__type(value, struct listener_verdict_entry);
} listener_verdicts SEC(".maps");

/*
 * Listening socket's cookie -> its key above; port 0 for the agent's own sockets, which are in no
 * table. Written with `listeners` and by the agent for its own, deleted when the socket leaves
 * LISTEN. LRU: the sockets found by the seed have no hook at their end; an entry that is pushed
 * out leaves a listener in the table that the agent removes at the next connection that it gets.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_RECENT_LISTENERS);
	__type(key, __u64);
	__type(value, struct listener_key);
} listening SEC(".maps");

/*
 * Inner connection to a captured application -> its client. Written and deleted by the agent
 * alone. Not LRU, for the agent refuses the flow when it is full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_CAPTURED);
	__type(key, struct flow_tuple);
	__type(value, struct inbound_entry);
} inbound SEC(".maps");

/*
 * Cookie -> what getsockopt() tells of the socket: of the application's socket (outbound), or of the
 * agent's that leads to it (inbound). Written and deleted by the agent alone. Not LRU: when it is
 * full, a flow goes on without, and its application is told ENODATA. Allocated as they come, up to
 * 32 MB.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_CAPTURED);
	__type(key, __u64);
	__type(value, struct socket_identity);
} identities SEC(".maps");

/*
 * The agent's listening sockets. Written by the agent; the kernel itself deletes a socket that is
 * closed, so that an entry is a proof that the agent lives and that the port is its own.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, MAX_AGENT_LISTENERS);
	__type(key, struct agent_listener_key);
	__type(value, __u64);
} agent_listeners SEC(".maps");

/*
 * netns cookie -> is the agent there? Written by the hooks (announced) and the agent (present),
 * deleted by the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_NETNS);
	__type(key, __u64);
	__type(value, struct netns_presence);
} namespaces SEC(".maps");

/* Port and prefix -> 1 where a connect() is left alone. Written by the agent at its start. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_BYPASS_RULES);
	__type(key, struct bypass_key);
	__type(value, __u32);
} bypass SEC(".maps");

/* Written and deleted by the agent alone. Not LRU: a pass without room is not given. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_PASSES);
	__type(key, struct pass_key);
	__type(value, struct pass_entry);
} passes SEC(".maps");

/*
 * Cookie of a listening socket to which passes lead -> the socket. Entered by the listener iterator
 * when the agent asks, deleted by the agent, and by the kernel itself when the socket is closed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, MAX_PASS_LISTENERS);
	__type(key, __u64);
	__type(value, __u64);
} pass_listeners SEC(".maps");

/*
 * Cookie of a connecting socket that had a pass -> how its flow stands. Entered by connect, kept by
 * sockops, deleted by the agent when it has recorded the end. Not LRU: this is how the agent knows
 * of a flow. When it is full, flows go through the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_DIRECT);
	__type(key, __u64);
	__type(value, struct direct_flow);
} directs SEC(".maps");

/* Tuple of a direct flow as the server's socket has it. Entered and deleted by sockops. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_DIRECT);
	__type(key, struct flow_tuple);
	__type(value, struct direct_tuple);
} direct_tuples SEC(".maps");

/*
 * Socket that a server has accepted directly -> key of its identity, which it may ask for after its
 * client has gone. Made by sockops, gone with the socket.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} direct_sockets SEC(".maps");

/* 0 -> what the agent tells the hooks. Mapped by the agent, so that each field has one writer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct datapath_control);
} control SEC(".maps");

/*
 * Outer socket -> what it has sent so far. Made by the agent through the socket's descriptor, kept
 * by the egress hook, gone with the socket: no bound is needed, and no other socket is looked at.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct outer_watch);
} outer_watch SEC(".maps");

/* enum kith_counter -> count since the maps were made. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* struct process_event and outer_event, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_BUFFER_BYTES);
} events SEC(".maps");

#endif /* KITH_MAPS_BPF_H */
