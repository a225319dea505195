/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* What the agent tells the hooks while they run. */
#ifndef KITH_ABI_CONTROL_H
#define KITH_ABI_CONTROL_H

#include "abi/flow.h"

/* The only value of the control map. */
struct datapath_control {
	__u64 policy_generation; /* verdicts of another one are void */
	/* The agent itself: pinned hooks outlive it, and pids are used again. */
	__u64 agent_start_time_ns;
	__u32 agent_tgid;
	/*
	 * Set by the hooks when a listening socket found no room in the table,
	 * cleared by the agent when the table is complete again. While set,
	 * SYNs for sockets that are not in the table are dropped.
	 */
	__u32 listeners_lost;
	/* Port 0, or where the listener iterator shall find a new owner. */
	struct listener_key resolve;
	/* 0, or the cookie of the socket that it shall enter in pass_listeners. */
	__u64 pass_listener;
};

/*
 * Key of the bypass trie: a port, then an address, so that the longest prefix
 * is looked for among the rules of that port. Port 0 stands for every port.
 */
struct bypass_key {
	__u32 prefix_length; /* bits: 16 + those of the address */
	__u8 port[2];	     /* network order */
	__u8 address[16];    /* network order, IPv4 as mapped */
	__u8 reserved[2];
};

#define BYPASS_PORT_BITS 16

#ifdef __cplusplus
static_assert(sizeof(datapath_control) == 64);
static_assert(sizeof(bypass_key) == 24);
#endif

#endif /* KITH_ABI_CONTROL_H */
