// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells an application who its peer is: an option of a level of its own on a captured socket,
 * outbound and inbound.
 *
 * Why this hook: it is the only one that can answer for an option that the kernel does not know.
 *
 *   getsockopt(2)
 *     tcp_getsockopt()                      the kernel's own answer, here always an error
 *     BPF_CGROUP_RUN_PROG_GETSOCKOPT()      <- here
 *
 * It runs for every option of every socket in the cgroup. All but one keep the kernel's answer.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/address.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/settings.bpf.h"

#define ANSWERED 1
#define REFUSED	 0 /* EPERM */

/* Of the kernel's ABI (asm-generic/errno-base.h, errno.h). */
enum {
	EINVAL = 22,
	ENODATA = 61,
};

/* A page: as much of an option as a hook sees (Documentation/bpf/prog_cgroup_sockopt.rst). */
#define SHOWN_BYTES 4096

/*
 * Zero makes the kernel keep what it has given to the caller. It must be said where the hook sees
 * only a part, and of errors, where kernels before 5.18 would copy zeroes over the caller's buffer.
 */
static __always_inline int leave_alone(struct bpf_sockopt *ctx)
{
	if (ctx->optlen > SHOWN_BYTES || ctx->retval != 0)
		ctx->optlen = 0;
	return ANSWERED;
}

/* EPERM is all that 0 can say where the kernel has no bpf_set_retval() (before 5.18). */
static __always_inline int answer_error(struct bpf_sockopt *ctx, int error)
{
	ctx->optlen = 0;
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_set_retval))
		return REFUSED;
	bpf_set_retval(-error);
	return ANSWERED;
}

static __always_inline void read_ends(struct bpf_sock *sk, struct flow_endpoint *local,
				      struct flow_endpoint *remote)
{
	__u16 remote_port = bpf_ntohs(sk->dst_port);

	if (sk->family == AF_INET) {
		endpoint_set_ip4(local, sk->src_ip4, sk->src_port);
		endpoint_set_ip4(remote, sk->dst_ip4, remote_port);
		return;
	}
	endpoint_set_ip6(local, sk->src_ip6, sk->src_port);
	endpoint_set_ip6(remote, sk->dst_ip6, remote_port);
}

/* What the connection is at its other end: the agent's, or of a direct flow the server's. */
static __always_inline bool find_key_of_client(const struct flow_tuple *tuple, __u64 *key)
{
	__u64 *connected = bpf_map_lookup_elem(&tuples, tuple);
	struct direct_tuple *direct;

	if (connected) {
		*key = *connected;
		return true;
	}
	direct = gives_passes ? bpf_map_lookup_elem(&direct_tuples, tuple) : NULL;
	if (!direct)
		return false;
	*key = PASS_IDENTITY_CLIENT(direct->pass);
	return true;
}

static __always_inline bool find_key_of_server(const struct flow_tuple *tuple, __u64 *key)
{
	struct inbound_entry *dialed = bpf_map_lookup_elem(&inbound, tuple);
	struct direct_tuple *direct;

	if (dialed) {
		*key = dialed->agent_cookie;
		return true;
	}
	direct = gives_passes ? bpf_map_lookup_elem(&direct_tuples, tuple) : NULL;
	if (!direct)
		return false;
	*key = PASS_IDENTITY_SERVER(direct->pass);
	return true;
}

/* The key of the socket's identity. False: it is not captured. */
static __always_inline bool find_key(struct bpf_sockopt *ctx, struct bpf_sock *sk, __u64 *key)
{
	struct flow_tuple tuple = {.netns_cookie = bpf_get_netns_cookie(ctx)};
	__u64 *kept;

	read_ends(sk, &tuple.remote, &tuple.local);
	if (find_key_of_client(&tuple, key))
		return true;
	read_ends(sk, &tuple.local, &tuple.remote);
	if (find_key_of_server(&tuple, key))
		return true;
	kept = gives_passes ? bpf_sk_storage_get(&direct_sockets, sk, NULL, 0) : NULL;
	if (!kept)
		return false;
	*key = *kept;
	return true;
}

/* For the verifier: words at fixed places, for it does not follow a variable one in this buffer. */
static __always_inline void copy(__u8 *to, const struct socket_identity *from)
{
	const __u64 *words = (const __u64 *)from;

#pragma unroll
	for (unsigned int i = 0; i < sizeof(struct shown_identity) / 8; i++)
		((__u64 *)to)[i] = words[i];
	to[sizeof(struct shown_identity) - 1] = 0; /* every text ends with 0, the last one here */
}

static __always_inline int show(struct bpf_sockopt *ctx)
{
	__u8 *buffer = ctx->optval, *end = ctx->optval_end;
	struct socket_identity *identity;
	struct bpf_sock *sk = ctx->sk;
	__u64 key;

	if (!sk || sk->protocol != IPPROTO_TCP || (sk->family != AF_INET && sk->family != AF_INET6))
		return leave_alone(ctx);
	if (!find_key(ctx, sk, &key))
		return leave_alone(ctx);
	if (buffer + sizeof(struct shown_identity) > end)
		return answer_error(ctx, EINVAL);
	identity = bpf_map_lookup_elem(&identities, &key);
	if (!identity)
		return answer_error(ctx, ENODATA);
	copy(buffer, identity);
	/* For the verifier: clang joins the two words into one of 8 bytes otherwise. */
	*(volatile __s32 *)&ctx->optlen = sizeof(struct shown_identity);
	*(volatile __s32 *)&ctx->retval = 0;
	count(COUNTER_IDENTITY_SHOWN);
	return ANSWERED;
}

SEC("cgroup/getsockopt")
int kith_getsockopt(struct bpf_sockopt *ctx)
{
	if (ctx->level != KITH_SOL_IDENTITY || ctx->optname != KITH_SO_IDENTITY)
		return leave_alone(ctx);
	return show(ctx);
}
