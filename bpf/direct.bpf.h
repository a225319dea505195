/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Following a direct flow, the part of sockops: its tuple, that it is established, its end. */
#ifndef KITH_DIRECT_BPF_H
#define KITH_DIRECT_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/address.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/maps.bpf.h"

static __always_inline void read_direct_ends(struct bpf_sock_ops *ctx, bool ip4,
					     struct flow_endpoint *local,
					     struct flow_endpoint *remote)
{
	__u16 remote_port = bpf_ntohl(ctx->remote_port);

	if (ip4) {
		endpoint_set_ip4(local, ctx->local_ip4, ctx->local_port);
		endpoint_set_ip4(remote, ctx->remote_ip4, remote_port);
		return;
	}
	endpoint_set_ip6(local, ctx->local_ip6, ctx->local_port);
	endpoint_set_ip6(remote, ctx->remote_ip6, remote_port);
}

static __always_inline void direct_tuple_of(const struct direct_flow *flow,
					    struct flow_tuple *tuple)
{
	__builtin_memset(tuple, 0, sizeof(*tuple));
	tuple->netns_cookie = flow->origin.netns_cookie;
	tuple->local = flow->origin.destination;
	tuple->remote = flow->client;
}

/* A function of its own, so that the record is in the object's type information. */
static __noinline void fill_direct_event(struct direct_event *event, __u64 cookie)
{
	event->kind = DIRECT_EVENT_CHANGED;
	event->reserved = 0;
	event->cookie = cookie;
}

/* One that finds no room is made good: the agent looks through the table now and then. */
static __always_inline void tell_direct(__u64 cookie)
{
	struct direct_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count(COUNTER_EVENT_DROPPED);
		return;
	}
	fill_direct_event(event, cookie);
	bpf_ringbuf_submit(event, 0);
}

/*
 * The source port is chosen, the SYN not yet sent. Without the tuple sk_lookup hands the SYN to the
 * agent, which ends a direct flow that was not given to its listener: fail closed.
 */
static __always_inline void on_direct_connecting(struct bpf_sock_ops *ctx, __u64 cookie,
						 struct direct_flow *flow)
{
	struct direct_tuple value = {.cookie = cookie, .pass = flow->pass};
	struct flow_endpoint remote;
	struct flow_tuple tuple;

	read_direct_ends(ctx, endpoint_is_mapped(&flow->origin.destination), &flow->client,
			 &remote);
	direct_tuple_of(flow, &tuple);
	if (!endpoint_equals(&remote, &flow->origin.destination) ||
	    bpf_map_update_elem(&direct_tuples, &tuple, &value, BPF_ANY))
		count(COUNTER_DIRECT_SYN_NOT_SAVED);
}

/* The handshake is complete, and nobody has accepted yet. */
static __always_inline void on_direct_accepted(struct bpf_sock_ops *ctx)
{
	struct direct_tuple *direct;
	struct flow_tuple tuple = {};
	struct tcp_sock *sk = NULL;
	__u64 *key;

	if (ctx->sk)
		sk = bpf_skc_to_tcp_sock(ctx->sk);
	if (!sk)
		return;
	tuple.netns_cookie = BPF_CORE_READ((struct sock *)sk, __sk_common.skc_net.net, net_cookie);
	/* An IPv6 socket that speaks IPv4 has the words of a mapped address. */
	read_direct_ends(ctx, ctx->family == AF_INET, &tuple.local, &tuple.remote);
	direct = bpf_map_lookup_elem(&direct_tuples, &tuple);
	if (!direct)
		return;
	key = bpf_sk_storage_get(&direct_sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (key)
		*key = PASS_IDENTITY_SERVER(direct->pass);
	else
		count(COUNTER_DIRECT_PEER_NOT_SAVED);
}

/* SOCK_DONE: a FIN has been received (tcp_fin()), which the kernel counts as a byte. */
static __always_inline bool fin_was_received(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_flags) &
	       (1UL << bpf_core_enum_value(enum sock_flags, SOCK_DONE));
}

static __always_inline bool fin_was_acknowledged(const struct direct_flow *flow, __u32 before)
{
	return before == BPF_TCP_FIN_WAIT2 ||
	       (!flow->error && (before == BPF_TCP_CLOSING || before == BPF_TCP_LAST_ACK));
}

/* bytes_acked has our SYN and our FIN, too (tcp_snd_una_update()); bytes_received their FIN. */
static __always_inline void count_direct_bytes(struct bpf_sock_ops *ctx, struct sock *sk,
					       struct direct_flow *flow, __u32 before)
{
	__u64 acked = ctx->bytes_acked, received = ctx->bytes_received;
	__u64 marks = 1 + fin_was_acknowledged(flow, before), theirs = fin_was_received(sk);

	flow->bytes_sent = acked > marks ? acked - marks : 0;
	flow->bytes_received = received > theirs ? received - theirs : 0;
}

static __always_inline void on_direct_closed(struct bpf_sock_ops *ctx, __u64 cookie,
					     struct direct_flow *flow, __u32 before)
{
	struct flow_tuple tuple;
	struct sock *sk = NULL;

	if (ctx->sk)
		sk = (struct sock *)bpf_skc_to_tcp_sock(ctx->sk);
	if (sk) {
		flow->error = BPF_CORE_READ(sk, sk_err);
		count_direct_bytes(ctx, sk, flow, before);
	}
	flow->closed_from = before;
	flow->state = DIRECT_CLOSED;
	direct_tuple_of(flow, &tuple);
	bpf_map_delete_elem(&direct_tuples, &tuple);
	tell_direct(cookie);
}

static __always_inline void on_direct_state(struct bpf_sock_ops *ctx, __u64 cookie,
					    struct direct_flow *flow)
{
	__u32 before = ctx->args[0], after = ctx->args[1];

	if (after == BPF_TCP_ESTABLISHED) {
		flow->opened_at_ns = bpf_ktime_get_ns();
		flow->state = DIRECT_OPEN;
		tell_direct(cookie);
	} else if (after == BPF_TCP_CLOSE && flow->state != DIRECT_CLOSED) {
		on_direct_closed(ctx, cookie, flow, before);
	}
}

#endif /* KITH_DIRECT_BPF_H */
