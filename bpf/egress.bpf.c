// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Last hook of an outer connection: what leaves it is TLS records, whoever made them. A segment
 * that is something else does not leave, and the agent ends the flow.
 *
 * Why this hook: it is behind everything that writes to a socket (the agent, kernel TLS, a sockmap
 * that somebody put it in), and before what may cut segments up. It sees each as TCP made it, under
 * the socket's lock: up to 512 KB, in the order of the sequence numbers, and again when it is lost.
 *
 *   tcp_sendmsg(), tls_sw_sendmsg(), tcp_bpf_push(), timers, acknowledgements
 *     tcp_write_xmit(), tcp_retransmit_skb()
 *       __tcp_transmit_skb()              an error here: TCP keeps the segment and tries again
 *         ip_queue_xmit(), inet6_csk_xmit()
 *           ip_finish_output(), ip6_finish_output()
 *             BPF_CGROUP_RUN_PROG_INET_EGRESS()      <- here
 *             segmentation, fragmentation
 *
 * Attached to the agent's own cgroup, which its sockets belong to. Bodies of records cannot be
 * checked without the keys: whatever hides in one, is as long as its header says.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/counters.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/tls_walk.bpf.h"

#define PASS		 1
#define DROP		 0

#define IPPROTO_HOPOPTS	 0
#define IPPROTO_TCP	 6
#define IP4_HEADER_BYTES 20
#define IP6_HEADER_BYTES 40
#define TCP_HEADER_BYTES 20

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Where the payload begins: in the stream, and in the segment. */
struct payload {
	__u32 seq;
	__u32 offset;
};

/* Behind the fixed header comes TCP, or what Linux puts before more than 64 KB (BIG TCP). */
static __always_inline __u32 ip6_header_bytes(struct __sk_buff *skb, __u8 next)
{
	__u8 options[2]; /* RFC 8200 section 4.3: next header, units of 8 bytes after the first */

	if (next == IPPROTO_TCP)
		return IP6_HEADER_BYTES;
	if (next != IPPROTO_HOPOPTS ||
	    bpf_skb_load_bytes(skb, IP6_HEADER_BYTES, options, sizeof(options)) ||
	    options[0] != IPPROTO_TCP)
		return 0;
	return IP6_HEADER_BYTES + 8 + options[1] * 8;
}

/* Returns the length of the IP headers, 0 if it is not TCP that follows. */
static __always_inline __u32 ip_header_bytes(struct __sk_buff *skb)
{
	__u8 ip[IP4_HEADER_BYTES];

	if (bpf_skb_load_bytes(skb, 0, ip, sizeof(ip)))
		return 0;
	if (ip[0] >> 4 == 4)
		return ip[9] == IPPROTO_TCP ? (ip[0] & 15) * 4 : 0;
	return ip6_header_bytes(skb, ip[6]);
}

static __always_inline bool find_payload(struct __sk_buff *skb, struct payload *payload)
{
	__u32 tcp = ip_header_bytes(skb);
	__be32 words[TCP_HEADER_BYTES / 4];

	if (!tcp || bpf_skb_load_bytes(skb, tcp, words, sizeof(words)))
		return false;
	payload->seq = bpf_ntohl(words[1]);
	payload->offset = tcp + (bpf_ntohl(words[3]) >> 28) * 4;
	return true;
}

static __always_inline int give_up(struct outer_watch *watch)
{
	watch->state = OUTER_UNCHECKED;
	count(COUNTER_OUTER_UNCHECKED);
	return PASS;
}

/* A function of its own, so that the record is in the object's type information. */
static __noinline void fill_outer_event(struct outer_event *event, __u64 flow)
{
	event->kind = OUTER_EVENT_NOT_TLS;
	event->reserved = 0;
	event->flow = flow;
}

/* TCP tries again while the agent has not closed the socket: so does an event without room. */
static __always_inline int refuse(struct outer_watch *watch)
{
	struct outer_event *event;

	if (watch->reported)
		return DROP;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(COUNTER_EVENT_DROPPED);
		return DROP;
	}
	fill_outer_event(event, watch->flow);
	bpf_ringbuf_submit(event, 0);
	watch->reported = 1;
	return DROP;
}

static __always_inline int check_new_bytes(struct __sk_buff *skb, struct outer_watch *watch,
					   const struct payload *payload, __s32 ahead)
{
	struct walk walk = {.skb = skb, .watch = watch};

	if (ahead < 0) /* a part passed elsewhere: e.g. it waits in an NFQUEUE */
		return give_up(watch);
	walk.at = payload->offset + ahead;
	walk.bytes = skb->len;
	switch (walk_records(&walk)) {
	case WALK_DONE:
		return PASS;
	case WALK_NOT_TLS:
		watch->state = OUTER_NOT_TLS;
		count(COUNTER_OUTER_NOT_TLS);
		return refuse(watch);
	default:
		return give_up(watch);
	}
}

static __always_inline int check_segment(struct __sk_buff *skb, struct outer_watch *watch)
{
	struct payload payload;
	__s32 bytes, ahead;

	if (!find_payload(skb, &payload))
		return give_up(watch); /* not TCP any more: IPsec */
	bytes = skb->len - payload.offset;
	if (bytes <= 0)
		return PASS;
	if (watch->state == OUTER_SILENT && !watch->held)
		watch->header_seq = payload.seq;
	/* From here to the first byte that has not been looked at. */
	ahead = watch->header_seq + watch->held - payload.seq;
	if (watch->state == OUTER_NOT_TLS)
		return ahead - watch->held >= bytes ? PASS : refuse(watch);
	if (ahead >= bytes)
		return PASS; /* the body of a record, or sent again */
	return check_new_bytes(skb, watch, &payload, ahead);
}

SEC("cgroup_skb/egress")
int kith_egress(struct __sk_buff *skb)
{
	struct outer_watch *watch;

	if (!skb->sk)
		return PASS;
	watch = bpf_sk_storage_get(&outer_watch, skb->sk, NULL, 0);
	if (!watch || watch->state == OUTER_UNCHECKED)
		return PASS;
	return check_segment(skb, watch);
}
