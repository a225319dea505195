// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Second hook of an outbound flow, first of a listener: ties a captured connect() to the tuple
 * under which the agent will accept it, and follows the listening sockets of the managed cgroup.
 *
 * Why this hook: tcp_connect() is the only place where the source port is chosen and the SYN not
 * yet sent, and listen() has no other hook for cgroups. The calls run in the process's context:
 *
 *   connect(2)                                  listen(2)
 *     tcp_v4_connect(), tcp_v6_connect()          inet_listen()
 *       inet_hash_connect()                         inet_csk_listen_start()
 *       tcp_connect()                               BPF_SOCK_OPS_TCP_LISTEN_CB     <- here
 *         BPF_SOCK_OPS_TCP_CONNECT_CB  <- here
 *
 * and the end of a socket in any context:
 *
 *   tcp_set_state()
 *     BPF_SOCK_OPS_STATE_CB  <- here, before the socket leaves the hash tables
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/address.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/direct.bpf.h"
#include "bpf/listener_table.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/netns.bpf.h"
#include "bpf/process.bpf.h"

static __always_inline bool follow_state(struct bpf_sock_ops *ctx)
{
	if (!bpf_sock_ops_cb_flags_set(ctx,
				       ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG))
		return true;
	count(COUNTER_STATE_NOT_FOLLOWED);
	return false;
}

static __always_inline void read_local(struct bpf_sock_ops *ctx, const struct flow_endpoint *remote,
				       struct flow_endpoint *local)
{
	if (endpoint_is_mapped(remote))
		endpoint_set_ip4(local, ctx->local_ip4, ctx->local_port);
	else
		endpoint_set_ip6(local, ctx->local_ip6, ctx->local_port);
}

/* The tuple as the agent's end has it: its local address is the application's remote one. */
static __always_inline void agent_tuple(struct bpf_sock_ops *ctx,
					const struct captured_socket *record,
					struct flow_tuple *tuple)
{
	__builtin_memset(tuple, 0, sizeof(*tuple));
	tuple->netns_cookie = record->origin.netns_cookie;
	tuple->local = record->listener;
	read_local(ctx, &record->listener, &tuple->remote);
}

/* A connect() that was not captured may follow one that was, on the same socket. */
static __always_inline bool goes_to_agent(struct bpf_sock_ops *ctx,
					  const struct captured_socket *record)
{
	const __u32 *words = (const __u32 *)record->listener.address;

	if (bpf_ntohl(ctx->remote_port) != record->listener.port)
		return false;
	if (endpoint_is_mapped(&record->listener))
		return ctx->remote_ip4 == words[3];
	return READ_WORD(ctx->remote_ip6[3]) == words[3] && READ_WORD(ctx->remote_ip6[2]) == 0 &&
	       READ_WORD(ctx->remote_ip6[1]) == 0 && READ_WORD(ctx->remote_ip6[0]) == 0;
}

static __always_inline struct direct_flow *find_direct(__u64 cookie)
{
	return gives_passes ? bpf_map_lookup_elem(&directs, &cookie) : NULL;
}

static __always_inline void on_connecting(struct bpf_sock_ops *ctx)
{
	__u64 cookie = bpf_get_socket_cookie(ctx);
	struct direct_flow *direct = find_direct(cookie);
	struct captured_socket *record;
	struct flow_tuple tuple;

	if (direct) {
		on_direct_connecting(ctx, cookie, direct);
		follow_state(ctx);
		return;
	}
	record = bpf_map_lookup_elem(&captured, &cookie);
	if (!record || !goes_to_agent(ctx, record))
		return;
	agent_tuple(ctx, record, &tuple);
	if (bpf_map_update_elem(&tuples, &tuple, &cookie, BPF_ANY))
		count(COUNTER_TUPLE_NOT_SAVED);
	follow_state(ctx);
}

static __always_inline void on_listening(struct bpf_sock_ops *ctx)
{
	struct task_struct *task = current_task();
	struct live_listener found;
	struct sock *sk = NULL;

	if (ctx->sk)
		sk = (struct sock *)bpf_skc_to_tcp_sock(ctx->sk);
	if (!sk || !task_is_managed(task))
		return;
	read_listener(sk, bpf_get_socket_cookie(ctx), task, &found);
	if (is_agent(&found.entry.process))
		return;
	found.entry.followed = follow_state(ctx);
	enter_listener(&found);
	announce_netns(found.entry.process.tgid, found.key.netns_cookie);
}

/*
 * A captured socket is closed. Only where the agent cannot have accepted it, or not for long, does
 * the record go now: never connected, or reset. After an orderly end the connection may still wait
 * in the agent's queue with all its bytes; the agent forgets it.
 */
static __always_inline void on_captured_closed(struct bpf_sock_ops *ctx, __u64 cookie,
					       const struct captured_socket *record, __u32 before)
{
	struct flow_tuple tuple;

	if (before != BPF_TCP_SYN_SENT && before != BPF_TCP_ESTABLISHED)
		return;
	agent_tuple(ctx, record, &tuple);
	bpf_map_delete_elem(&tuples, &tuple);
	bpf_map_delete_elem(&captured, &cookie);
}

static __always_inline void on_state(struct bpf_sock_ops *ctx)
{
	__u32 before = ctx->args[0], after = ctx->args[1];
	__u64 cookie = bpf_get_socket_cookie(ctx);
	struct captured_socket *record;
	struct direct_flow *direct;

	if (before == BPF_TCP_LISTEN) {
		leave_listener(cookie);
		return;
	}
	direct = find_direct(cookie);
	if (direct) {
		on_direct_state(ctx, cookie, direct);
		return;
	}
	record = bpf_map_lookup_elem(&captured, &cookie);
	if (!record) /* accepted from a listener that is followed: inherits its flags */
		bpf_sock_ops_cb_flags_set(ctx,
					  ctx->bpf_sock_ops_cb_flags & ~BPF_SOCK_OPS_STATE_CB_FLAG);
	else if (after == BPF_TCP_CLOSE)
		on_captured_closed(ctx, cookie, record, before);
}

/* Calls about timeouts, windows, ECN and round trips keep the kernel's own answers. */
SEC("sockops")
int kith_sockops(struct bpf_sock_ops *ctx)
{
	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		on_connecting(ctx);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		if (gives_passes)
			on_direct_accepted(ctx);
		break;
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
		on_listening(ctx);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		on_state(ctx);
		break;
	}
	return 1;
}
