/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* What the hooks tell the agent through the ring buffer. */
#ifndef KITH_ABI_EVENT_H
#define KITH_ABI_EVENT_H

#include "abi/process.h"

enum process_event_kind {
	PROCESS_EVENT_EXEC = 1,
	PROCESS_EVENT_EXIT = 2,	  /* its last thread */
	PROCESS_EVENT_JOINED = 3, /* moved into the managed cgroup */
	NETNS_EVENT_SEEN = 4,	  /* in a namespace without listeners */
	OUTER_EVENT_NOT_TLS = 5,  /* struct outer_event */
	DIRECT_EVENT_CHANGED = 6, /* struct direct_event */
};

struct process_event {
	__u32 kind; /* enum process_event_kind */
	__u32 tgid;
	__u64 netns_cookie;
};

/* An outer socket was about to send something that is no TLS record. */
struct outer_event {
	__u32 kind; /* OUTER_EVENT_NOT_TLS */
	__u32 reserved;
	__u64 flow; /* of its outer_watch */
};

/* A direct flow was opened or closed. */
struct direct_event {
	__u32 kind; /* DIRECT_EVENT_CHANGED */
	__u32 reserved;
	__u64 cookie; /* its key in the table of direct flows */
};

#ifdef __cplusplus
static_assert(sizeof(direct_event) == 16);
static_assert(sizeof(process_event) == 16);
static_assert(sizeof(outer_event) == 16);
#endif

#endif /* KITH_ABI_EVENT_H */
