// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * First hook of an outbound flow: sends the connect() of a workload, and of every process that is
 * not known yet, to the agent's listener in the same namespace.
 *
 * Why this hook: it runs in the process that calls connect(), before a source address, a route or
 * a port is chosen, so that a rewritten destination needs nothing undone.
 *
 *   connect(2), or sendmsg(2) with MSG_FASTOPEN
 *     __inet_stream_connect()
 *       tcp_v4_pre_connect(), tcp_v6_pre_connect()
 *         BPF_CGROUP_RUN_PROG_INET4_CONNECT(), ..INET6..    <- here
 *       tcp_v4_connect(), tcp_v6_connect()
 *         tcp_connect()                                     sockops.bpf.c
 *
 * The cgroup is that of the socket: of the process that called socket(). Processes outside the
 * managed cgroup never get here.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/address.bpf.h"
#include "bpf/agent_listener.bpf.h"
#include "bpf/bypass.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/netns.bpf.h"
#include "bpf/pass.bpf.h"
#include "bpf/process.bpf.h"

#define ALLOW	     1
#define DENY	     0

#define ECONNREFUSED 111

/* What to do with a connect(). */
enum route {
	ROUTE_AS_ASKED,
	ROUTE_TO_AGENT,
	ROUTE_NOWHERE,
};

/* EPERM is all that 0 can say where the kernel has no bpf_set_retval() (before 5.18). */
static __always_inline int refuse(void)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_set_retval))
		bpf_set_retval(-ECONNREFUSED);
	return DENY;
}

/* A closed listener means a dead agent, and a dead agent means no connection: fail closed. */
static __always_inline void report_missing_listener(__u32 tgid, __u64 netns_cookie)
{
	struct netns_presence *netns = bpf_map_lookup_elem(&namespaces, &netns_cookie);

	if (netns && netns->state == NETNS_PRESENT) {
		count(COUNTER_AGENT_AWAY);
		return;
	}
	count(COUNTER_NETNS_NOT_READY);
	announce_netns(tgid, netns_cookie);
}

static __always_inline void complete_origin(struct bpf_sock_addr *ctx, struct task_struct *task,
					    struct flow_origin *origin)
{
	read_image(task, &origin->image);
	origin->socket_cookie = bpf_get_socket_cookie(ctx);
	origin->connected_at_ns = bpf_ktime_get_ns();
}

/* A socket may connect() again, when the first attempt has failed: one record of it at a time. */
static __always_inline bool has_pass(const struct flow_origin *origin)
{
	if (!gives_passes)
		return false;
	if (take_pass(origin)) {
		bpf_map_delete_elem(&captured, &origin->socket_cookie);
		return true;
	}
	bpf_map_delete_elem(&directs, &origin->socket_cookie);
	return false;
}

/*
 * Policy may wrap some flows of a process and leave others alone. A function of its own, for its
 * stack.
 */
static __noinline bool is_destination_left_alone(const struct flow_origin *origin)
{
	struct destination_key key = {};
	__u64 *generation;

	if (!origin)
		return false;
	key.process = origin->process;
	key.netns_cookie = origin->netns_cookie;
	key.destination = origin->destination;
	generation = bpf_map_lookup_elem(&destinations, &key);
	return generation && *generation == policy_generation();
}

/* Nothing that an earlier connect() of this socket has left is true of the next one. */
static __always_inline void forget_attempt(__u64 cookie)
{
	bpf_map_delete_elem(&captured, &cookie);
	if (gives_passes)
		bpf_map_delete_elem(&directs, &cookie);
}

/* On ROUTE_TO_AGENT, record->listener.port is the agent's port; its address is the caller's job. */
static __always_inline enum route choose_route(struct bpf_sock_addr *ctx, struct task_struct *task,
					       struct captured_socket *record)
{
	struct flow_origin *origin = &record->origin;
	bool ip4 = endpoint_is_mapped(&origin->destination);
	__u32 port;

	if (is_agent(&origin->process))
		return ROUTE_AS_ASKED;
	if (is_bypassed(&origin->destination)) {
		count(COUNTER_CONNECT_BYPASSED);
		return ROUTE_AS_ASKED;
	}
	origin->netns_cookie = bpf_get_netns_cookie(ctx);
	if (is_destination_left_alone(origin)) {
		forget_attempt(bpf_get_socket_cookie(ctx));
		count(COUNTER_CONNECT_LEFT_ALONE);
		return ROUTE_AS_ASKED;
	}
	port = agent_listener_port(origin->netns_cookie, AGENT_LISTENER_OUTBOUND,
				   ip4 ? AF_INET : AF_INET6);
	if (!port) {
		report_missing_listener(origin->process.tgid, origin->netns_cookie);
		return ROUTE_NOWHERE;
	}
	complete_origin(ctx, task, origin);
	if (has_pass(origin)) {
		count(COUNTER_DIRECT_CONNECT);
		return ROUTE_AS_ASKED;
	}
	if (ip4)
		endpoint_set_ip4(&record->listener, LOOPBACK_IP4, port);
	else
		endpoint_set_words(&record->listener, 0, 0, 0, LOOPBACK_IP6_WORD, port);
	if (bpf_map_update_elem(&captured, &origin->socket_cookie, record, BPF_ANY)) {
		count(COUNTER_ORIGIN_NOT_SAVED);
		return ROUTE_NOWHERE;
	}
	count(COUNTER_CONNECT_CAPTURED);
	return ROUTE_TO_AGENT;
}

static __always_inline bool is_tcp(struct bpf_sock_addr *ctx)
{
	return ctx->type == SOCK_STREAM && ctx->protocol == IPPROTO_TCP;
}

SEC("cgroup/connect4")
int kith_connect4(struct bpf_sock_addr *ctx)
{
	struct task_struct *task = current_task();
	struct captured_socket record = {};
	__u32 ip4 = ctx->user_ip4;

	if (!is_tcp(ctx))
		return ALLOW;
	read_process(task, &record.origin.process);
	if (is_left_alone(&record.origin.process, PROCESS_VERDICT_LEAVE_OUTBOUND))
		return ALLOW;
	if (!ip4) /* connect(0.0.0.0) means this host, see ip_route_output_key_hash_rcu() */
		ip4 = ctx->sk->src_ip4 ?: LOOPBACK_IP4;
	endpoint_set_ip4(&record.origin.destination, ip4, bpf_ntohs(ctx->user_port));

	switch (choose_route(ctx, task, &record)) {
	case ROUTE_AS_ASKED:
		return ALLOW;
	case ROUTE_TO_AGENT:
		ctx->user_ip4 = LOOPBACK_IP4;
		ctx->user_port = bpf_htons(record.listener.port);
		return ALLOW;
	case ROUTE_NOWHERE:
		break;
	}
	return refuse();
}

/* connect(::) means this host: ::1, or 127.0.0.1 for a socket bound to IPv4 (tcp_v6_connect()). */
static __always_inline void read_destination6(struct bpf_sock_addr *ctx, struct flow_endpoint *to)
{
	const __u32 *words = (const __u32 *)to->address;

	endpoint_set_ip6(to, ctx->user_ip6, bpf_ntohs(ctx->user_port));
	if (endpoint_is_mapped(to) && !words[3]) { /* ::ffff:0.0.0.0, as 0.0.0.0 */
		endpoint_set_ip4(to, LOOPBACK_IP4, to->port);
		return;
	}
	if (words[0] | words[1] | words[2] | words[3])
		return;
	if (ctx->sk->src_ip6[2] == MAPPED_IP6_WORD)
		endpoint_set_ip4(to, LOOPBACK_IP4, to->port);
	else
		endpoint_set_words(to, 0, 0, 0, LOOPBACK_IP6_WORD, to->port);
}

/* IPv6 sockets, which may well speak IPv4 (mapped): then the IPv4 listener is theirs. */
SEC("cgroup/connect6")
int kith_connect6(struct bpf_sock_addr *ctx)
{
	struct task_struct *task = current_task();
	struct captured_socket record = {};

	if (!is_tcp(ctx))
		return ALLOW;
	read_process(task, &record.origin.process);
	if (is_left_alone(&record.origin.process, PROCESS_VERDICT_LEAVE_OUTBOUND))
		return ALLOW;
	read_destination6(ctx, &record.origin.destination);

	switch (choose_route(ctx, task, &record)) {
	case ROUTE_AS_ASKED:
		return ALLOW;
	case ROUTE_TO_AGENT: {
		const __u32 *words = (const __u32 *)record.listener.address;

		ctx->user_ip6[0] = 0;
		ctx->user_ip6[1] = 0;
		ctx->user_ip6[2] = words[2];
		ctx->user_ip6[3] = words[3];
		ctx->user_port = bpf_htons(record.listener.port);
		return ALLOW;
	}
	case ROUTE_NOWHERE:
		break;
	}
	return refuse();
}
