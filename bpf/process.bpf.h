/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts of a task, by CO-RE reads only: the same code serves current and any other task. */
#ifndef KITH_PROCESS_BPF_H
#define KITH_PROCESS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/maps.bpf.h"
#include "bpf/settings.bpf.h"

#define EXEC_ID_EXITED (~0ULL) /* in `execs`: the process is gone */

/*
 * Older kernels refuse bpf_get_current_pid_tgid() to sock_addr programs, and it would not tell the
 * start time: everything comes from the task.
 */
static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

static __always_inline void read_process(struct task_struct *task, struct process_facts *facts)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	const struct cred *cred = BPF_CORE_READ(task, cred);

	__builtin_memset(facts, 0, sizeof(*facts));
	facts->start_time_ns = BPF_CORE_READ(leader, start_boottime);
	facts->exec_id = BPF_CORE_READ(leader, self_exec_id);
	facts->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	facts->tgid = BPF_CORE_READ(task, tgid);
	facts->uid = BPF_CORE_READ(cred, euid.val);
	facts->gid = BPF_CORE_READ(cred, egid.val);
}

static __always_inline void read_image(struct task_struct *task, struct process_image *image)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	__builtin_memset(image, 0, sizeof(*image));
	bpf_core_read_str(image->comm, sizeof(image->comm), &leader->comm);
	if (!inode)
		return;
	image->exe_inode = BPF_CORE_READ(inode, i_ino);
	image->exe_dev = BPF_CORE_READ(inode, i_sb, s_dev);
}

static __always_inline __u64 task_netns_cookie(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, net_ns, net_cookie);
}

/* Is `cgroup` the managed cgroup, or below it? */
static __always_inline bool cgroup_is_managed(struct cgroup *cgroup)
{
	__u32 level = managed_cgroup_level;
	struct cgroup *ancestor = NULL;
	__u64 id = 0;
	void *at;

	if (BPF_CORE_READ(cgroup, level) < (int)level)
		return false;
	if (bpf_core_field_exists(cgroup->ancestors)) {
		at = (void *)cgroup + bpf_core_field_offset(cgroup->ancestors);
		bpf_probe_read_kernel(&ancestor, sizeof(ancestor), at + level * sizeof(ancestor));
		id = BPF_CORE_READ(ancestor, kn, id);
	} else {
		struct cgroup___ids *before = (void *)cgroup;

		at = (void *)cgroup + bpf_core_field_offset(before->ancestor_ids);
		bpf_probe_read_kernel(&id, sizeof(id), at + level * sizeof(id));
	}
	return id == managed_cgroup_id;
}

static __always_inline bool task_is_managed(struct task_struct *task)
{
	return cgroup_is_managed(BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/* Never NULL: the verifier does not know that the map has this element. */
static __always_inline struct datapath_control *control_now(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&control, &key);
}

static __always_inline bool is_agent(const struct process_facts *facts)
{
	struct datapath_control *now = control_now();

	return now && facts->tgid == now->agent_tgid &&
	       facts->start_time_ns == now->agent_start_time_ns;
}

static __always_inline __u64 policy_generation(void)
{
	struct datapath_control *now = control_now();

	return now ? now->policy_generation : 0;
}

/*
 * Has the agent decided, under the policy in force, to leave all flows of this process in one
 * direction alone? `direction` is one of the bits of enum process_verdict.
 */
static __always_inline bool is_left_alone(const struct process_facts *facts, __u32 direction)
{
	struct process_verdict_entry *known = bpf_map_lookup_elem(&verdicts, facts);

	return known && (known->verdict & direction) &&
	       known->policy_generation == policy_generation();
}

#endif /* KITH_PROCESS_BPF_H */
