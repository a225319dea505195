/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, only as far as the programs in bpf/ read them.
 *
 * A struct marked CORE is relocated when it is loaded: its fields are found by
 * name in the running kernel's BTF, so order, gaps and the fields left out do
 * not matter. All of this exists since Linux 6.1 at the latest.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef int pid_t;
typedef u32 dev_t;
typedef u32 uid_t;
typedef u32 gid_t;
typedef unsigned short umode_t;
typedef unsigned long size_t;
typedef _Bool bool;

enum {
	false = 0,
	true = 1,
};

#include "vmlinux_uapi.h"

#define CORE __attribute__((preserve_access_index))

typedef struct {
	int counter;
} CORE atomic_t;

typedef struct {
	s64 counter;
} CORE atomic64_t;

typedef struct {
	uid_t val;
} CORE kuid_t;

typedef struct {
	gid_t val;
} CORE kgid_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
} CORE;

struct ns_common {
	unsigned int inum;
} CORE;

struct net {
	struct ns_common ns;
	u64 net_cookie;
} CORE;

typedef struct {
	struct net *net;
} CORE possible_net_t;

struct nsproxy {
	struct net *net_ns;
} CORE;

struct super_block {
	dev_t s_dev;
} CORE;

struct inode {
	umode_t i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
} CORE;

struct file_operations;

struct file {
	unsigned int f_flags;
	struct inode *f_inode;
	const struct file_operations *f_op;
	void *private_data;
} CORE;

struct kernfs_node {
	u64 id;
} CORE;

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[];
} CORE;

/* Before Linux 6.0 ids stood where the pointers stand now. */
struct cgroup___ids {
	u64 ancestor_ids[1];
} CORE;

struct css_set {
	struct cgroup *dfl_cgrp;
} CORE;

struct cred {
	kuid_t euid;
	kgid_t egid;
} CORE;

struct mm_struct {
	struct file *exe_file;
} CORE;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
} CORE;

struct task_struct {
	unsigned int flags;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	u64 start_boottime;
	u64 self_exec_id;
	const struct cred *cred;
	char comm[16];
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct css_set *cgroups;
} CORE;

struct linux_binprm;

struct sock_common {
	union {
		struct {
			__be32 skc_daddr;
			__be32 skc_rcv_saddr;
		};
	};
	union {
		struct {
			__be16 skc_dport;
			__u16 skc_num; /* host order */
		};
	};
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_ipv6only : 1;
	unsigned long skc_flags; /* bits of enum sock_flags */
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
} CORE;

struct socket;

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	int sk_err; /* errno, 0 for none */
	u16 sk_type;
	u16 sk_protocol;
} CORE;

struct tcp_ulp_ops;

struct inet_connection_sock {
	const struct tcp_ulp_ops *icsk_ulp_ops;
} CORE;

/* Begins with a struct sock. */
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 copied_seq; /* of the next byte to be read */
	u32 write_seq;	/* of the next byte to be written */
} CORE;

/* Only to ask where the running kernel has the flag. */
enum sock_flags {
	SOCK_DONE = 1,
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
} CORE;

/* Only to ask whether the kernel has a function. */
enum bpf_func_id {
	BPF_FUNC_loop = 181,	   /* Linux 5.17 */
	BPF_FUNC_set_retval = 187, /* Linux 5.18 */
};

/* Contexts of iterators: BTF describes them too. */

struct seq_file;

struct bpf_iter_meta {
	CONTEXT_POINTER(struct seq_file *, seq);
	u64 session_id;
	u64 seq_num;
} CORE;

struct bpf_iter__task {
	CONTEXT_POINTER(struct bpf_iter_meta *, meta);
	CONTEXT_POINTER(struct task_struct *, task);
} CORE;

struct bpf_iter__task_file {
	CONTEXT_POINTER(struct bpf_iter_meta *, meta);
	CONTEXT_POINTER(struct task_struct *, task);
	u32 fd;
	CONTEXT_POINTER(struct file *, file);
} CORE;

#undef CORE
#undef CONTEXT_POINTER

#endif /* __VMLINUX_H__ */
