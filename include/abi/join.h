/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The join of two workloads of one node, shared by the hooks and the agent.
 *
 * A joined flow has two directions. Each has a slot: the application that sends
 * (sender), and the agent's socket that leads to the other application
 * (target). The slots of a flow are neighbours: slot ^ 1 is the other direction,
 * whose target is the socket on which the agent receives from this sender.
 */
#ifndef KITH_ABI_JOIN_H
#define KITH_ABI_JOIN_H

#include "abi/flow.h"

/* One direction. Mapped by the agent; each field has one writer. */
struct join_slot {
	__u64 generation; /* agent: of the flow that has the slot now; 0: none */
	/*
	 * Agent: bytes that it has received from the sender and written to the target, both
	 * since the connection began. Stored after the write.
	 */
	__u64 delivered;
	__u64 redirected;     /* hooks: bytes that went past the agent */
	__u64 target;	      /* hooks: the target's struct sock, for reading alone */
	__u32 first_sequence; /* hooks: TCP sequence number of the sender's first byte */
	__u32 sender_blocks;  /* hooks: the sender's socket was made blocking again */
	__u64 reserved[3];    /* a cache line per slot: directions do not disturb each other */
};

/* Of an application's socket that has been entered, until the socket's end. */
struct join_member {
	__u64 generation;
	__u32 slot;
	__u32 reserved;
};

/* What the agent asks of kith_join_begin, as the packet of a test run, and of kith_join_enter. */
struct join_request {
	struct flow_endpoint local; /* of the application's socket */
	struct flow_endpoint remote;
	__u64 generation;
	__u32 slot;
	__u32 reserved;
};

/* What it answers. */
enum join_answer {
	JOIN_ENTERED = 0,
	JOIN_NO_SOCKET = 1, /* no such connection (any more) */
	JOIN_BLOCKING = 2,  /* O_NONBLOCK is not set */
	JOIN_ZEROCOPY = 3,  /* SO_ZEROCOPY is set */
	JOIN_REFUSED = 4,   /* by the kernel: the socket is in use by other BPF or a ULP */
	JOIN_BAD_REQUEST = 5,
};

/* The question to kith_join_enter and its answer. */
struct join_search {
	struct join_request request;
	__u32 answer; /* enum join_answer; agent: JOIN_NO_SOCKET before */
	__u32 reserved;
};

#ifdef __cplusplus
static_assert(sizeof(join_slot) == 64);
static_assert(sizeof(join_member) == 16);
static_assert(sizeof(join_request) == 64);
static_assert(sizeof(join_search) == 72);
#endif

#endif /* KITH_ABI_JOIN_H */
