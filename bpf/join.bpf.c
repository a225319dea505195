// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Joins two workloads of one node: what one application sends goes to the agent's socket that leads
 * to the other, inside its own send(), and the agent never sees it. Loaded only where same-node
 * flows shall be joined.
 *
 *   send(2), write(2), sendfile(2) of a joined socket
 *     tcp_bpf_sendmsg()
 *       sk_psock_msg_verdict()               kith_join_send
 *       tcp_bpf_sendmsg_redir()              into the target's send queue, or
 *       tcp_bpf_push()                       to the agent, as if there were no join
 *
 * Why the target's send queue and not the other application's receive queue (BPF_F_INGRESS): the
 * bytes arrive by TCP, in one stream with those that the agent wrote, before the FIN and within the
 * receiver's window, and splice(2) and MSG_WAITALL find them. The kernel's ingress queue has none of
 * that: it is read before TCP's, and nothing bounds it.
 *
 * Order: a send() may go past the agent only if the agent has nothing of this sender in its hands:
 * if every byte that ever left the sender's own TCP (write_seq) was delivered. The hook runs under
 * the sender's socket lock, so that nothing is passed on between the question and the answer; what
 * is redirected stands in the target's queue when send() returns.
 *
 * Why only non-blocking senders: a socket in a sockmap gets the kernel's tcp_bpf_recvmsg(), whose
 * blocking wait ends with EAGAIN when the connection is reset or room to write comes back. Where the
 * kernel's FIONREAD is wrong for such sockets, too, nobody enters: see agent/datapath/join_proof.cc.
 */
#include "bpf/vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/join.h"
#include "bpf/address.bpf.h"
#include "bpf/join_maps.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Of the kernel's ABI (linux/tcp.h, asm-generic/socket.h, asm-generic/fcntl.h). */
enum {
	SOL_SOCKET = 1,
	SO_ZEROCOPY = 60,
	SOL_TCP = 6,
	TCP_ULP = 31,
	O_NONBLOCK = 04000,
};

#define MAY_SET 1
#define REFUSE	0 /* EPERM */

static __always_inline bool is_nonblocking(struct sock *sk)
{
	/* NULL while nobody has accepted the connection. */
	struct file *file = BPF_CORE_READ(sk, sk_socket, file);

	return file && (BPF_CORE_READ(file, f_flags) & O_NONBLOCK);
}

static __always_inline bool is_zerocopy(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_flags) &
	       (1UL << bpf_core_enum_value(enum sock_flags, SOCK_ZEROCOPY));
}

static __always_inline bool has_memory_pressure(struct sock *sk)
{
	unsigned long *flag = BPF_CORE_READ(sk, __sk_common.skc_prot, memory_pressure);
	unsigned long set = 0;

	bpf_probe_read_kernel(&set, sizeof(set), flag);
	return set;
}

/*
 * Can the target take the message at once? If not it goes by way of the agent, so that the sender
 * meets TCP's own back-pressure: the kernel would answer EAGAIN and never tell when there is room.
 */
static __always_inline bool has_room(struct sock *target, __u32 size)
{
	int queued = BPF_CORE_READ(target, sk_wmem_queued), most = BPF_CORE_READ(target, sk_sndbuf);
	__u8 state = BPF_CORE_READ(target, __sk_common.skc_state);

	if (state != BPF_TCP_ESTABLISHED && state != BPF_TCP_CLOSE_WAIT)
		return false;
	/* A quarter more, for the kernel counts its own structures, too. */
	return queued + (__s64)size + size / 4 < most && !has_memory_pressure(target);
}

static __always_inline bool all_delivered(struct tcp_sock *sender, const struct join_slot *slot)
{
	__u32 delivered = *(volatile __u64 *)&slot->delivered;

	return BPF_CORE_READ(sender, write_seq) - slot->first_sequence == delivered;
}

static __always_inline bool may_pass_agent(struct tcp_sock *sender, struct join_slot *slot,
					   __u32 size)
{
	if (!is_nonblocking((struct sock *)sender)) {
		slot->sender_blocks = 1; /* the agent takes it out of the map */
		return false;
	}
	return all_delivered(sender, slot) && has_room((struct sock *)slot->target, size);
}

SEC("sk_msg")
int kith_join_send(struct sk_msg_md *msg)
{
	struct tcp_sock *sender;
	struct join_member *member;
	struct join_slot *slot;

	if (!msg->sk)
		return SK_PASS;
	member = bpf_sk_storage_get(&join_members, msg->sk, NULL, 0);
	sender = bpf_skc_to_tcp_sock(msg->sk);
	if (!member || !sender)
		return SK_PASS;
	/* In a sockmap, kernels differ in whether TLS still encrypts: nothing leaves. */
	if (BPF_CORE_READ(sender, inet_conn.icsk_ulp_ops))
		return SK_DROP;
	slot = bpf_map_lookup_elem(&join_slots, &member->slot);
	if (!slot || slot->generation != member->generation)
		return SK_PASS;
	if (!may_pass_agent(sender, slot, msg->size))
		return SK_PASS;
	/* The target is gone when its flow ends: the agent's other socket tells the sender. */
	if (bpf_msg_redirect_map(msg, &join_targets, member->slot, 0) != SK_PASS)
		return SK_PASS;
	__sync_fetch_and_add(&slot->redirected, msg->size);
	return SK_PASS;
}

/* The agent's own sockets, before it has read from them: where do the streams begin? */
static __always_inline int begin_slot(__u32 index)
{
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &index);
	__u32 other = index ^ 1;
	struct bpf_sock *target, *source;
	struct tcp_sock *tcp;
	int answer = JOIN_NO_SOCKET;

	if (!slot)
		return JOIN_BAD_REQUEST;
	target = bpf_map_lookup_elem(&join_targets, &index);
	if (!target)
		return JOIN_NO_SOCKET;
	tcp = bpf_skc_to_tcp_sock(target);
	slot->target = (__u64)tcp;
	bpf_sk_release(target);
	source = bpf_map_lookup_elem(&join_targets, &other);
	if (!source)
		return JOIN_NO_SOCKET;
	tcp = bpf_skc_to_tcp_sock(source);
	if (tcp && slot->target) {
		slot->first_sequence = BPF_CORE_READ(tcp, copied_seq);
		answer = JOIN_ENTERED;
	}
	bpf_sk_release(source);
	return answer;
}

/*
 * A function of its own, so that the request is in the object's type information, where a test
 * compares it with that of C++.
 */
static __noinline bool read_request(struct __sk_buff *ctx, struct join_request *request)
{
	return bpf_skb_load_bytes(ctx, 0, request, sizeof(*request)) == 0;
}

/* Run by the agent with both targets in place; only request.slot counts, an even one. */
SEC("tc")
int kith_join_begin(struct __sk_buff *ctx)
{
	struct join_request request;
	int answer;

	if (!read_request(ctx, &request))
		return JOIN_BAD_REQUEST;
	answer = begin_slot(request.slot);
	if (answer == JOIN_ENTERED)
		answer = begin_slot(request.slot ^ 1);
	return answer;
}

static __always_inline bool words_equal(const struct in6_addr *address, const __u32 *words)
{
	const __u32 *own = (const __u32 *)address;

	return own[0] == words[0] && own[1] == words[1] && own[2] == words[2] && own[3] == words[3];
}

static __always_inline bool is_wanted(struct sock_common *sk, const struct join_request *request)
{
	const __u32 *local = (const __u32 *)request->local.address;
	const __u32 *remote = (const __u32 *)request->remote.address;
	struct in6_addr own = {}, other = {};

	if (sk->skc_num != request->local.port || sk->skc_dport != bpf_htons(request->remote.port))
		return false;
	if (endpoint_is_mapped(&request->local)) /* also of an IPv6 socket */
		return sk->skc_rcv_saddr == local[3] && sk->skc_daddr == remote[3];
	BPF_CORE_READ_INTO(&own, sk, skc_v6_rcv_saddr);
	BPF_CORE_READ_INTO(&other, sk, skc_v6_daddr);
	return sk->skc_family == AF_INET6 && words_equal(&own, local) &&
	       words_equal(&other, remote);
}

static __always_inline int enter_sender(struct sock_common *found,
					const struct join_request *request)
{
	struct sock *sk = (struct sock *)bpf_skc_to_tcp_sock(found);
	struct join_member *member;
	__u32 slot = request->slot;

	if (!sk || found->skc_state != BPF_TCP_ESTABLISHED)
		return JOIN_NO_SOCKET;
	if (!is_nonblocking(sk))
		return JOIN_BLOCKING;
	if (is_zerocopy(sk))
		return JOIN_ZEROCOPY;
	/* Before the socket enters: from here on kith_join_option guards it. */
	member = bpf_sk_storage_get(&join_members, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!member)
		return JOIN_REFUSED;
	member->generation = request->generation;
	member->slot = slot;
	return bpf_map_update_elem(&join_senders, &slot, sk, BPF_ANY) ? JOIN_REFUSED : JOIN_ENTERED;
}

/*
 * Read by the agent in the namespace of an application's socket: enters it as a sender.
 *
 * Why an iterator, which visits every TCP socket there: since Linux 7 programs that can look one up
 * (tc, XDP) may not enter it in a sockmap. The iterator holds the socket's lock while we look at it.
 */
SEC("iter/tcp")
int kith_join_enter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *sk = ctx->sk_common;
	struct join_search *search;
	__u32 only = 0;

	search = bpf_map_lookup_elem(&join_search, &only);
	if (sk && search && is_wanted(sk, &search->request))
		search->answer = enter_sender(sk, &search->request);
	return 0;
}

/*
 * A joined socket must not be given TLS keys by its application, for some kernels would then send
 * plaintext; nor may it ask for zero-copy, whose notifications a sockmap swallows. Programs that
 * ask for either do without.
 */
/* A page: as much of an option as a hook sees (Documentation/bpf/prog_cgroup_sockopt.rst). */
#define SHOWN_OPTION_BYTES 4096

SEC("cgroup/setsockopt")
int kith_join_option(struct bpf_sockopt *ctx)
{
	bool tls = ctx->level == SOL_TCP && ctx->optname == TCP_ULP;
	bool zerocopy = ctx->level == SOL_SOCKET && ctx->optname == SO_ZEROCOPY;

	/* Longer ones the kernel shows in part only: zero makes it take the caller's buffer. */
	if (ctx->optlen > SHOWN_OPTION_BYTES)
		ctx->optlen = 0;
	if (!(tls || zerocopy) || !ctx->sk)
		return MAY_SET;
	return bpf_sk_storage_get(&join_members, ctx->sk, NULL, 0) ? REFUSE : MAY_SET;
}
