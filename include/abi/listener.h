/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * The agent's presence in a network namespace, and the listening sockets that
 * were there before the hooks.
 */
#ifndef KITH_ABI_LISTENER_H
#define KITH_ABI_LISTENER_H

#include "abi/flow.h"

enum agent_listener_role {
	AGENT_LISTENER_OUTBOUND = 0, /* captured connect() calls end here */
	AGENT_LISTENER_INBOUND = 1,  /* SYNs for captured listeners end here */
};

/* Key of the agent's listening sockets. */
struct agent_listener_key {
	__u64 netns_cookie;
	__u32 role;   /* enum agent_listener_role */
	__u32 family; /* AF_INET or AF_INET6 */
};

enum netns_state {
	NETNS_ANNOUNCED = 0, /* the agent was told, and is not there yet */
	NETNS_PRESENT = 1,   /* listeners were opened */
};

/* Value of the table of namespaces, by netns cookie. */
struct netns_presence {
	__u32 state; /* enum netns_state */
	__u32 reserved;
};

/* One listening socket, as the task_file iterator reports it. */
struct live_listener {
	struct listener_key key;
	struct listener_entry entry;
};

#ifdef __cplusplus
static_assert(sizeof(agent_listener_key) == 16);
static_assert(sizeof(netns_presence) == 8);
static_assert(sizeof(live_listener) == 128);
#endif

#endif /* KITH_ABI_LISTENER_H */
