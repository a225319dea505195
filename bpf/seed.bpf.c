// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What was there before the hooks: processes and listening sockets. Run by the agent, which reads
 * the iterators to their end; each record is a struct of abi/.
 *
 * Why iterators: /proc/<pid>/net/tcp tells neither the owner nor the namespace of a socket, and
 * the facts must be the very ones that the hooks read.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/address.bpf.h"
#include "bpf/listener_table.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/process.bpf.h"

/* Threads have no flows of their own, kernel threads no image; exit has freed mm already. */
static __always_inline bool is_live_process(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader) == task && BPF_CORE_READ(task, mm) &&
	       BPF_CORE_READ(task, nsproxy);
}

/*
 * Functions of their own, so that the records are in the object's type information, where a test
 * compares them with those of C++.
 */
static __noinline long write_live_process(struct seq_file *seq, struct live_process *live)
{
	return bpf_seq_write(seq, live, sizeof(*live));
}

static __noinline long write_live_listener(struct seq_file *seq, struct live_listener *found)
{
	return bpf_seq_write(seq, found, sizeof(*found));
}

static __always_inline void write_process(struct seq_file *seq, struct task_struct *task)
{
	struct live_process live = {};

	read_process(task, &live.process);
	read_image(task, &live.image);
	live.netns_cookie = task_netns_cookie(task);
	write_live_process(seq, &live);
}

/* The processes of the managed cgroup. */
SEC("iter/task")
int kith_processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && is_live_process(task) && task_is_managed(task))
		write_process(ctx->meta->seq, task);
	return 0;
}

/* Any process: the agent asks for one pid where the kernel can (6.1), and picks it from all else. */
SEC("iter/task")
int kith_process(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && is_live_process(task))
		write_process(ctx->meta->seq, task);
	return 0;
}

static __always_inline struct sock *listening_socket(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;

	if (!socket)
		return NULL;
	sk = socket->sk;
	if (!sk || sk->sk_type != SOCK_STREAM || sk->sk_protocol != IPPROTO_TCP)
		return NULL;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return NULL;
	return sk->__sk_common.skc_state == BPF_TCP_LISTEN ? sk : NULL;
}

/*
 * The agent asks for a new owner of the listener at an address, for the recorded one is gone: the
 * first holder found gets it.
 */
static __always_inline void resolve_owner(const struct live_listener *found)
{
	struct datapath_control *now = control_now();
	struct listener_entry *entry;

	if (!now || !now->resolve.local.port ||
	    now->resolve.netns_cookie != found->key.netns_cookie ||
	    !endpoint_equals(&now->resolve.local, &found->key.local))
		return;
	entry = bpf_map_lookup_elem(&listeners, &found->key);
	if (!entry)
		return;
	replace_owner(entry, &found->entry);
	now->resolve.local.port = 0;
}

/* The agent asks for a socket that passes shall lead to. */
static __always_inline void enter_pass_listener(struct sock *sk, __u64 cookie)
{
	struct datapath_control *now = control_now();

	if (!gives_passes || !now || !cookie || now->pass_listener != cookie)
		return;
	if (!bpf_map_update_elem(&pass_listeners, &cookie, sk, BPF_ANY))
		now->pass_listener = 0;
}

/* The listening sockets of the managed cgroup: entered in the table and reported. */
SEC("iter/task_file")
int kith_listeners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct live_listener found;
	struct sock *sk;

	if (!task || !file || !task_is_managed(task))
		return 0;
	sk = listening_socket(file);
	if (!sk)
		return 0;
	read_listener(sk, bpf_get_socket_cookie(sk), task, &found);
	if (is_agent(&found.entry.process))
		return 0;
	enter_listener(&found);
	resolve_owner(&found);
	enter_pass_listener(sk, found.entry.socket_cookie);
	write_live_listener(ctx->meta->seq, &found);
	return 0;
}
