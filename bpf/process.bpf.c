// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of a process: a child inherits its parent's verdict, exec and exit void it, and a
 * process in a namespace without listeners is announced before it can connect.
 *
 * Why these hooks: BTF tracepoints see the tasks themselves, on every kernel, in the context of
 * the process that changes.
 *
 *   clone(2)                   execve(2)                      exit(2), signals
 *     kernel_clone()             exec_binprm()                  do_exit()
 *       copy_process()             search_binary_handler()        signal->live - 1
 *       sched_process_fork  <-       self_exec_id + 1             sched_process_exit  <-
 *       wake_up_new_task()         sched_process_exec  <-
 *
 *   write(cgroup.procs)
 *     cgroup_attach_task()
 *       cgroup_migrate()
 *       cgroup_attach_task  <-
 *
 * Attached to the whole machine: what is not below the managed cgroup is left at once.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/counters.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/netns.bpf.h"
#include "bpf/process.bpf.h"

static __always_inline bool is_group_leader(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader) == task;
}

/* A verdict holds for one cgroup: CLONE_INTO_CGROUP leaves the child unknown. */
static __always_inline void inherit_verdict(struct task_struct *parent, struct task_struct *child)
{
	struct process_facts from, to;
	struct process_verdict_entry *known, copy;

	read_process(parent, &from);
	read_process(child, &to);
	if (from.cgroup_id != to.cgroup_id)
		return;
	known = bpf_map_lookup_elem(&verdicts, &from);
	if (!known)
		return;
	copy = *known;
	/* What the child listens for is looked at: its exec under other credentials voids nothing. */
	copy.verdict &= ~PROCESS_VERDICT_LEAVE_INBOUND;
	if (bpf_map_update_elem(&verdicts, &to, &copy, BPF_ANY))
		count(COUNTER_VERDICT_NOT_INHERITED);
	else
		count(COUNTER_VERDICT_INHERITED);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(kith_fork, struct task_struct *parent, struct task_struct *child)
{
	if (!is_group_leader(child) || !task_is_managed(child))
		return 0;
	inherit_verdict(parent, child);
	announce_netns(BPF_CORE_READ(child, tgid), task_netns_cookie(child));
	return 0;
}

static __always_inline void record_exec(const struct process_facts *facts, __u64 exec_id)
{
	struct exec_record newest = {.start_time_ns = facts->start_time_ns, .exec_id = exec_id};

	bpf_map_update_elem(&execs, &facts->tgid, &newest, BPF_ANY);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(kith_exec, struct task_struct *task)
{
	__u64 netns_cookie = task_netns_cookie(task);
	struct process_facts facts;

	if (!task_is_managed(task))
		return 0;
	read_process(task, &facts);
	record_exec(&facts, facts.exec_id);
	/* The new exec_id has no verdict; the old one's leaves room now rather than by age. */
	facts.exec_id--;
	bpf_map_delete_elem(&verdicts, &facts);
	announce_netns(facts.tgid, netns_cookie);
	send_event(PROCESS_EVENT_EXEC, facts.tgid, netns_cookie);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(kith_exit, struct task_struct *task)
{
	struct process_facts facts;

	/* The tracepoint fires for each thread; the last ones find no living thread. */
	if (BPF_CORE_READ(task, signal, live.counter) || !task_is_managed(task))
		return 0;
	read_process(task, &facts);
	record_exec(&facts, EXEC_ID_EXITED);
	bpf_map_delete_elem(&verdicts, &facts);
	send_event(PROCESS_EVENT_EXIT, facts.tgid, task_netns_cookie(task));
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(kith_join, struct cgroup *to, const char *path, struct task_struct *task)
{
	__u64 netns_cookie;
	__u32 tgid;

	if (!is_group_leader(task) || !cgroup_is_managed(to))
		return 0;
	tgid = BPF_CORE_READ(task, tgid);
	netns_cookie = task_netns_cookie(task);
	/* First: the process may connect soon, and looking through its files takes time. */
	announce_netns(tgid, netns_cookie);
	send_event(PROCESS_EVENT_JOINED, tgid, netns_cookie);
	return 0;
}
