/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KITH_AGENT_LISTENER_BPF_H
#define KITH_AGENT_LISTENER_BPF_H

#include "bpf/maps.bpf.h"

/* Returns the agent's listening socket or NULL; to be given back with bpf_sk_release(). */
static __always_inline struct bpf_sock *agent_listener(__u64 netns_cookie, __u32 role, __u32 family)
{
	struct agent_listener_key key = {
		.netns_cookie = netns_cookie, .role = role, .family = family};

	return bpf_map_lookup_elem(&agent_listeners, &key);
}

/* Returns the port (host order) of the agent's listener, 0 if there is none. */
static __always_inline __u32 agent_listener_port(__u64 netns_cookie, __u32 role, __u32 family)
{
	struct bpf_sock *listener = agent_listener(netns_cookie, role, family);
	__u32 port;

	if (!listener)
		return 0;
	port = listener->src_port;
	bpf_sk_release(listener);
	return port;
}

#endif /* KITH_AGENT_LISTENER_BPF_H */
