/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * Who a process is, as read inside a hook.
 *
 * The whole struct is the key of the verdict cache: a process that execs
 * (exec_id), changes its user or is moved to another cgroup has another key,
 * so that a cached verdict can never outlive the facts that it was made from.
 */
#ifndef KITH_ABI_PROCESS_H
#define KITH_ABI_PROCESS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

struct process_facts {
	__u64 start_time_ns; /* group leader's task_struct.start_boottime */
	__u64 exec_id;	     /* group leader's task_struct.self_exec_id */
	__u64 cgroup_id;     /* cgroup v2 id (inode number of its directory) */
	__u32 tgid;	     /* in the initial pid namespace */
	__u32 uid;	     /* effective, in the initial user namespace */
	__u32 gid;	     /* effective, in the initial user namespace */
	__u32 reserved;	     /* zero: the struct is a map key */
};

#define PROCESS_COMM_LEN 16

/* What the hooks know of a process beyond the cache key. */
struct process_image {
	__u64 exe_inode; /* 0: kernel thread or no executable */
	__u32 exe_dev;	 /* kernel encoding: major << 20 | minor */
	__u32 reserved;
	char comm[PROCESS_COMM_LEN];
};

/*
 * What the agent has decided, in bits: policy may leave one direction alone and wrap the
 * other. 2 is no direction's bit, for maps may be those of a version that means WORKLOAD.
 */
enum process_verdict {
	PROCESS_VERDICT_UNKNOWN = 0,	    /* hold: the agent decides */
	PROCESS_VERDICT_LEAVE_OUTBOUND = 1, /* each connect() goes as asked */
	PROCESS_VERDICT_WORKLOAD = 2,	    /* capture its flows */
	PROCESS_VERDICT_LEAVE_INBOUND = 4,  /* each SYN goes to its listener */
	PROCESS_VERDICT_NOT_WORKLOAD = 5,   /* leave all its flows alone */
};

/* Value of the verdict cache. */
struct process_verdict_entry {
	__u64 policy_generation; /* other than the current one: unknown */
	__u32 verdict;		 /* enum process_verdict */
	__u32 reserved;
};

/* The newest exec of a process, by tgid; start_time_ns tells recycled pids. */
struct exec_record {
	__u64 start_time_ns;
	__u64 exec_id;
};

/* One process of the managed cgroup, as the task iterator reports it. */
struct live_process {
	struct process_facts process;
	struct process_image image;
	__u64 netns_cookie;
};

#ifdef __cplusplus
static_assert(sizeof(process_facts) == 40);
static_assert(sizeof(process_image) == 32);
static_assert(sizeof(process_verdict_entry) == 16);
static_assert(sizeof(exec_record) == 16);
static_assert(sizeof(live_process) == 80);
#endif

#endif /* KITH_ABI_PROCESS_H */
