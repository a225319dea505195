/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Passes: may a connect() go straight to the listener? Asked by connect, when a handshake between
 * the two has shown before that both allow it. The flow is then followed by sockops, and sk_lookup
 * gives its SYN to that very listener, whoever may listen at the address by then.
 */
#ifndef KITH_PASS_BPF_H
#define KITH_PASS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/counters.bpf.h"
#include "bpf/listener_table.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/process.bpf.h"

/* Is the listener still the one that the handshake was with, and nobody else at its address? */
static __always_inline bool listener_is_same(const struct pass_entry *pass)
{
	struct listener_entry *entry = bpf_map_lookup_elem(&listeners, &pass->listener);

	return entry && entry->sockets == 1 && entry->socket_cookie == pass->listener_cookie &&
	       !owner_has_changed(entry);
}

static __always_inline struct pass_entry *find_pass(const struct flow_origin *origin)
{
	struct pass_key key = {.client = origin->process,
			       .netns_cookie = origin->netns_cookie,
			       .destination = origin->destination};
	struct pass_entry *pass = bpf_map_lookup_elem(&passes, &key);

	if (!pass || pass->policy_generation != policy_generation() ||
	    bpf_ktime_get_ns() > pass->expires_at_ns || !listener_is_same(pass))
		return NULL;
	return pass;
}

/* Not built on the stack, which has no room for it. */
static const struct direct_flow new_direct;

/* A function of its own, for its stack. True: the connect() goes as asked, and is followed. */
static __noinline bool take_pass(const struct flow_origin *origin)
{
	struct direct_flow *flow;
	struct pass_entry *pass;
	__u64 cookie;

	if (!origin)
		return false;
	cookie = origin->socket_cookie;
	pass = find_pass(origin);
	if (!pass)
		return false;
	if (bpf_map_update_elem(&directs, &cookie, &new_direct, BPF_ANY)) {
		count(COUNTER_DIRECT_NOT_SAVED);
		return false;
	}
	flow = bpf_map_lookup_elem(&directs, &cookie);
	if (!flow)
		return false;
	flow->origin = *origin;
	flow->pass = pass->id;
	flow->listener_cookie = pass->listener_cookie;
	return true;
}

#endif /* KITH_PASS_BPF_H */
