/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows between two workloads of one network namespace that go straight from one to the other
 * ("direct"), because a handshake between the two has just shown that both allow it ("pass").
 */
#ifndef KITH_ABI_PASS_H
#define KITH_ABI_PASS_H

#include "abi/flow.h"

/* Whose connect(), and where to. */
struct pass_key {
	struct process_facts client;
	__u64 netns_cookie;
	struct flow_endpoint destination; /* on loopback: nothing leaves the host */
};

/* What makes it void, and which socket it leads to. */
struct pass_entry {
	__u64 id;		      /* agent: never used twice */
	__u64 policy_generation;      /* other than the current one: void */
	__u64 expires_at_ns;	      /* bpf_ktime_get_ns() */
	struct listener_key listener; /* where the socket stands in the table of listeners */
	__u64 listener_cookie;	      /* another socket there: void */
};

enum direct_state {
	DIRECT_CONNECTING = 0,
	DIRECT_OPEN = 1,
	DIRECT_CLOSED = 2,
};

/* How a direct flow stands, by the cookie of the socket that connected. */
struct direct_flow {
	struct flow_origin origin;
	struct flow_endpoint client; /* its own address */
	__u64 pass;		     /* id of the pass that it had */
	__u64 listener_cookie;
	__u64 bytes_sent;     /* when closed: that the server's kernel has acknowledged */
	__u64 bytes_received; /* when closed */
	__u64 opened_at_ns;   /* bpf_ktime_get_ns(); 0: never */
	__u32 state;	      /* enum direct_state */
	__u32 assigned;	      /* 1: sk_lookup gave its SYN to the listener */
	__u32 closed_from;    /* when closed: TCP state before */
	__u32 error;	      /* when closed: errno of the socket, 0 for an orderly end */
};

/* Of the connection as the server has it. */
struct direct_tuple {
	__u64 cookie; /* of the socket that connected */
	__u64 pass;   /* of the flow now */
};

/* Keys of the table of identities that are no socket's cookie: what the two sides of a pass see. */
#define PASS_IDENTITY_CLIENT(id) (1ULL << 63 | (id) << 1)
#define PASS_IDENTITY_SERVER(id) (1ULL << 63 | (id) << 1 | 1)

#ifdef __cplusplus
static_assert(sizeof(pass_key) == 72);
static_assert(sizeof(pass_entry) == 64);
static_assert(sizeof(direct_flow) == 200);
static_assert(sizeof(direct_tuple) == 16);
#endif

#endif /* KITH_ABI_PASS_H */
