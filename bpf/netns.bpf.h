/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Telling the agent about processes, and about namespaces where it has no listeners. */
#ifndef KITH_NETNS_BPF_H
#define KITH_NETNS_BPF_H

#include "bpf/counters.bpf.h"
#include "bpf/maps.bpf.h"

/* A function of its own, so that the record is in the object's type information. */
static __noinline void fill_event(struct process_event *event, __u32 kind, __u32 tgid,
				  __u64 netns_cookie)
{
	event->kind = kind;
	event->tgid = tgid;
	event->netns_cookie = netns_cookie;
}

static __always_inline bool send_event(__u32 kind, __u32 tgid, __u64 netns_cookie)
{
	struct process_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count(COUNTER_EVENT_DROPPED);
		return false;
	}
	fill_event(event, kind, tgid, netns_cookie);
	bpf_ringbuf_submit(event, 0);
	return true;
}

/*
 * Tells the agent once that process `tgid` lives in a namespace without listeners. The agent
 * deletes the entry when it could not get there, so that the next process tells it again.
 */
static __always_inline void announce_netns(__u32 tgid, __u64 netns_cookie)
{
	struct netns_presence announced = {.state = NETNS_ANNOUNCED};

	if (bpf_map_lookup_elem(&namespaces, &netns_cookie))
		return;
	if (bpf_map_update_elem(&namespaces, &netns_cookie, &announced, BPF_NOEXIST)) {
		count(COUNTER_NETNS_TABLE_FULL);
		return;
	}
	if (!send_event(NETNS_EVENT_SEEN, tgid, netns_cookie))
		bpf_map_delete_elem(&namespaces, &netns_cookie);
}

#endif /* KITH_NETNS_BPF_H */
