// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * First hook of an inbound flow: hands a SYN for a workload's listening socket to the agent.
 *
 * Why this hook: it runs for a segment that belongs to no connection, after conntrack and local
 * delivery, loopback included, and needs neither routes nor firewall marks. What is established
 * never gets here.
 *
 *   tcp_v4_rcv(), tcp_v6_rcv()
 *     __inet_lookup_skb(), __inet6_lookup_skb()
 *       __inet_lookup_established()        found: not here
 *       __inet_lookup_listener()
 *         inet_lookup_run_sk_lookup()      <- here; SK_DROP: no socket, the client is reset
 *
 * Attached once per network namespace, each time with another netns_cookie, because the context
 * does not tell the namespace.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/address.bpf.h"
#include "bpf/agent_listener.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/listener_table.bpf.h"
#include "bpf/maps.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 netns_cookie;

static __always_inline void read_tuple(struct bpf_sk_lookup *ctx, struct flow_tuple *tuple)
{
	__u16 remote_port = bpf_ntohs(ctx->remote_port);

	__builtin_memset(tuple, 0, sizeof(*tuple));
	tuple->netns_cookie = netns_cookie;
	if (ctx->family == AF_INET) {
		endpoint_set_ip4(&tuple->local, ctx->local_ip4, ctx->local_port);
		endpoint_set_ip4(&tuple->remote, ctx->remote_ip4, remote_port);
		return;
	}
	endpoint_set_ip6(&tuple->local, ctx->local_ip6, ctx->local_port);
	endpoint_set_ip6(&tuple->remote, ctx->remote_ip6, remote_port);
}

/* A socket that is not in the table may be one that found no room in it. */
static __always_inline int pass_unlisted(void)
{
	struct datapath_control *now = control_now();

	if (!now || !now->listeners_lost)
		return SK_PASS;
	count(COUNTER_INBOUND_UNCERTAIN);
	return SK_DROP;
}

static __always_inline int hand_to_agent(struct bpf_sk_lookup *ctx, struct bpf_sock *agent)
{
	if (bpf_sk_assign(ctx, agent, 0)) {
		/* Dropped, for the kernel would give it to the application. */
		count(COUNTER_INBOUND_NOT_ASSIGNED);
		return SK_DROP;
	}
	count(COUNTER_INBOUND_CAPTURED);
	return SK_PASS;
}

/* NULL: no direct flow begins with this SYN, whatever had its addresses before. */
static __always_inline struct direct_flow *find_direct(const struct flow_tuple *tuple)
{
	struct direct_tuple *direct = bpf_map_lookup_elem(&direct_tuples, tuple);
	struct direct_flow *flow;
	__u64 cookie;

	if (!direct)
		return NULL;
	cookie = direct->cookie;
	flow = bpf_map_lookup_elem(&directs, &cookie);
	return flow && flow->state != DIRECT_CLOSED ? flow : NULL;
}

/*
 * A direct flow goes to the very listener that its pass was for, or nowhere: whoever else listens
 * there now has not been asked.
 */
static __always_inline int give_to_listener(struct bpf_sk_lookup *ctx, struct direct_flow *flow)
{
	__u64 listening = flow->listener_cookie;
	struct bpf_sock *listener = bpf_map_lookup_elem(&pass_listeners, &listening);
	long refused;

	if (!listener) {
		count(COUNTER_DIRECT_LISTENER_GONE);
		return SK_DROP;
	}
	refused = bpf_sk_assign(ctx, listener, BPF_SK_LOOKUP_F_NO_REUSEPORT);
	bpf_sk_release(listener);
	if (refused) {
		count(COUNTER_DIRECT_NOT_ASSIGNED);
		return SK_DROP;
	}
	flow->assigned = 1;
	count(COUNTER_DIRECT_ASSIGNED);
	return SK_PASS;
}

SEC("sk_lookup")
int kith_sk_lookup(struct bpf_sk_lookup *ctx)
{
	struct listener_key key = {.netns_cookie = netns_cookie};
	struct listener_entry *destination;
	struct direct_flow *direct;
	struct inbound_entry *dialed;
	struct flow_tuple tuple;
	struct bpf_sock *agent;
	int action = SK_PASS;

	if (ctx->protocol != IPPROTO_TCP)
		return SK_PASS;
	read_tuple(ctx, &tuple);
	if (gives_passes) {
		direct = find_direct(&tuple);
		if (direct)
			return give_to_listener(ctx, direct);
	}
	key.local = tuple.local;
	destination = find_listener(&key);
	if (!destination)
		return pass_unlisted();
	if (is_left_alone_listener(&key, destination))
		return SK_PASS;
	agent = agent_listener(netns_cookie, AGENT_LISTENER_INBOUND, ctx->family);
	if (!agent) {
		/* Dropped: nobody is there to tell whether the client is allowed. */
		count(COUNTER_INBOUND_AGENT_AWAY);
		return SK_DROP;
	}
	/* After the check above, so that a dead agent leaves no exception behind. */
	dialed = bpf_map_lookup_elem(&inbound, &tuple);
	if (dialed && dialed->dialing)
		count(COUNTER_INBOUND_DIALED);
	else
		action = hand_to_agent(ctx, agent);
	bpf_sk_release(agent);
	return action;
}
