/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps of join.bpf.c. They end with the agent: a joined flow does not outlive it. */
#ifndef KITH_JOIN_MAPS_BPF_H
#define KITH_JOIN_MAPS_BPF_H

#include "bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "abi/join.h"

/*
 * Directions that are joined at a time: 8192 flows, 1 MB of slots. Further flows are relayed by the
 * agent.
 */
#define MAX_JOIN_SLOTS 16384

/* Index -> slot. Mapped by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_JOIN_SLOTS);
	__type(key, __u32);
	__type(value, struct join_slot);
} join_slots SEC(".maps");

/*
 * Slot -> the application's socket, whose sends run kith_join_send. Written by kith_join_enter,
 * deleted by the agent, and by the kernel with the socket.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, MAX_JOIN_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} join_senders SEC(".maps");

/*
 * Slot -> the agent's socket that leads to the other application. Written and deleted by the agent,
 * and by the kernel with the socket. No program belongs to this map: its sockets are only written
 * to.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, MAX_JOIN_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} join_targets SEC(".maps");

/* Application's socket -> its slot. Written by kith_join_enter; ends with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct join_member);
} join_members SEC(".maps");

/* What kith_join_enter looks for. Written and read by the agent around each of its runs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct join_search);
} join_search SEC(".maps");

#endif /* KITH_JOIN_MAPS_BPF_H */
