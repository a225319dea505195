/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * How a flow is named and where it came from, shared by the hooks and the
 * agent. Addresses are always 16 bytes; IPv4 is written as an IPv4-mapped IPv6
 * address (RFC 4291 section 2.5.5.2), so that one key serves both families.
 */
#ifndef KITH_ABI_FLOW_H
#define KITH_ABI_FLOW_H

#include "abi/process.h"

struct flow_endpoint {
	__u8 address[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
	__u16 port;	  /* host order */
	__u16 reserved[3];
};

/* One TCP connection inside one network namespace. */
struct flow_tuple {
	__u64 netns_cookie;
	struct flow_endpoint local;
	struct flow_endpoint remote;
};

/*
 * An outbound flow as the connect hook saw it. Found by the agent under the
 * inner socket's tuple as the agent sees it (local = agent's listener,
 * remote = application).
 */
struct flow_origin {
	struct process_facts process;
	struct process_image image;
	struct flow_endpoint destination; /* what the application asked for */
	__u64 netns_cookie;
	__u64 socket_cookie;   /* application's socket */
	__u64 connected_at_ns; /* bpf_ktime_get_ns() (CLOCK_MONOTONIC) */
};

/* One destination that is left alone for one process, though others are not. */
struct destination_key {
	struct process_facts process;
	__u64 netns_cookie; /* 127.0.0.1 is another host in each */
	struct flow_endpoint destination;
};

/* Value of the table of captured sockets, by the application's cookie. */
struct captured_socket {
	struct flow_origin origin;
	struct flow_endpoint listener; /* where the connect() was sent instead */
};

/* Key of the listener table: address is :: / ::ffff:0.0.0.0 for wildcards. */
struct listener_key {
	__u64 netns_cookie;
	struct flow_endpoint local;
};

/* Listening sockets of the managed cgroup at one address. */
struct listener_entry {
	struct process_facts process; /* who called listen() last */
	struct process_image image;
	__u64 socket_cookie; /* of its socket */
	__u32 v6only;	     /* :: without IPv4 */
	__u32 sockets;	     /* listening here (SO_REUSEPORT); 0: nobody any more */
	__u32 followed;	     /* 1: a hook tells when that socket leaves LISTEN */
	__u32 reserved;
};

/* What the agent decided about the listener at an address. */
struct listener_verdict_entry {
	__u64 socket_cookie;	 /* void for another socket */
	__u64 policy_generation; /* other than the current one: unknown */
	__u32 verdict;		 /* enum process_verdict */
	__u32 reserved;
};

/*
 * An inner connection that the agent dials to a captured application. Key:
 * flow_tuple as the application's accepted socket sees it (local = the
 * application, remote = agent's bound source).
 */
struct inbound_entry {
	struct flow_endpoint client; /* whom accept()/getpeername() show */
	__u64 agent_cookie;	     /* of the agent's socket: the key of its identity */
	__u32 dialing;		     /* 1: this very SYN passes sk_lookup; cleared after */
	__u32 reserved;
};

#ifdef __cplusplus
static_assert(sizeof(flow_endpoint) == 24);
static_assert(sizeof(flow_tuple) == 56);
static_assert(sizeof(flow_origin) == 120);
static_assert(sizeof(listener_key) == 32);
static_assert(sizeof(destination_key) == 72);
static_assert(sizeof(captured_socket) == 144);
static_assert(sizeof(listener_entry) == 96);
static_assert(sizeof(listener_verdict_entry) == 24);
static_assert(sizeof(inbound_entry) == 40);
#endif

#endif /* KITH_ABI_FLOW_H */
