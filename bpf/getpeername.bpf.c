// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Shows the application the address it knows: the destination it asked for (outbound), the real
 * client (inbound).
 *
 * Why this hook: both system calls that tell a peer's address end in the same function.
 *
 *   getpeername(2)                    accept(2), accept4(2)
 *     inet_getname(), inet6_getname()   inet_getname(), inet6_getname()
 *       BPF_CGROUP_RUN_SA_PROG(.. CGROUP_INET4_GETPEERNAME)    <- here
 *
 * The return value is always 1: the verifier allows no other.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/address.bpf.h"
#include "bpf/maps.bpf.h"

/* Where a captured connect() wanted to go. NULL: not captured, or connected elsewhere since. */
static __always_inline struct flow_endpoint *asked_destination(struct bpf_sock_addr *ctx,
							       const struct flow_endpoint *peer)
{
	__u64 cookie = bpf_get_socket_cookie(ctx);
	struct captured_socket *record = bpf_map_lookup_elem(&captured, &cookie);

	if (!record || !endpoint_equals(&record->listener, peer))
		return NULL;
	return &record->origin.destination;
}

/* The client of a connection that the agent dialled. NULL: it did not. */
static __always_inline struct flow_endpoint *real_client(struct bpf_sock_addr *ctx,
							 const struct flow_endpoint *peer)
{
	struct flow_tuple tuple = {.remote = *peer};
	struct bpf_sock *sk = ctx->sk;
	struct inbound_entry *entry;

	tuple.netns_cookie = bpf_get_netns_cookie(ctx);
	if (endpoint_is_mapped(peer))
		endpoint_set_ip4(&tuple.local, sk->src_ip4, sk->src_port);
	else
		endpoint_set_ip6(&tuple.local, sk->src_ip6, sk->src_port);
	entry = bpf_map_lookup_elem(&inbound, &tuple);
	return entry ? &entry->client : NULL;
}

static __always_inline struct flow_endpoint *shown_peer(struct bpf_sock_addr *ctx,
							const struct flow_endpoint *peer)
{
	struct flow_endpoint *shown = asked_destination(ctx, peer);

	return shown ?: real_client(ctx, peer);
}

SEC("cgroup/getpeername4")
int kith_getpeer4(struct bpf_sock_addr *ctx)
{
	struct flow_endpoint peer, *shown;

	if (ctx->protocol != IPPROTO_TCP)
		return 1;
	endpoint_set_ip4(&peer, ctx->user_ip4, bpf_ntohs(ctx->user_port));
	shown = shown_peer(ctx, &peer);
	/* An IPv4 socket cannot show an IPv6 address. */
	if (!shown || !endpoint_is_mapped(shown))
		return 1;
	ctx->user_ip4 = ((__u32 *)shown->address)[3];
	ctx->user_port = bpf_htons(shown->port);
	return 1;
}

SEC("cgroup/getpeername6")
int kith_getpeer6(struct bpf_sock_addr *ctx)
{
	struct flow_endpoint peer, *shown;

	if (ctx->protocol != IPPROTO_TCP)
		return 1;
	endpoint_set_ip6(&peer, ctx->user_ip6, bpf_ntohs(ctx->user_port));
	shown = shown_peer(ctx, &peer);
	if (!shown)
		return 1;
	ctx->user_ip6[0] = ((__u32 *)shown->address)[0];
	ctx->user_ip6[1] = ((__u32 *)shown->address)[1];
	ctx->user_ip6[2] = ((__u32 *)shown->address)[2];
	ctx->user_ip6[3] = ((__u32 *)shown->address)[3];
	ctx->user_port = bpf_htons(shown->port);
	return 1;
}
