/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of listening sockets: entered by sockops and the seed, read by sk_lookup. */
#ifndef KITH_LISTENER_TABLE_BPF_H
#define KITH_LISTENER_TABLE_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>

#include "bpf/address.bpf.h"
#include "bpf/counters.bpf.h"
#include "bpf/maps.bpf.h"
#include "bpf/process.bpf.h"

static __always_inline void read_listening_address(struct sock *sk, struct flow_endpoint *local)
{
	__u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);
	__u32 words[4];

	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		endpoint_set_ip4(local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr), port);
		return;
	}
	BPF_CORE_READ_INTO(&words, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32);
	endpoint_set_words(local, words[0], words[1], words[2], words[3], port);
}

/* Fills `found` with the socket and with `task` as its owner. */
static __always_inline void read_listener(struct sock *sk, __u64 cookie, struct task_struct *task,
					  struct live_listener *found)
{
	__builtin_memset(found, 0, sizeof(*found));
	found->key.netns_cookie = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	read_listening_address(sk, &found->key.local);
	read_process(task, &found->entry.process);
	read_image(task, &found->entry.image);
	found->entry.socket_cookie = cookie;
	found->entry.v6only = BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
	found->entry.sockets = 1;
}

/*
 * The newest listen() at an address stands for all sockets there. Other processors may read the
 * entry meanwhile: facts of two processes in one are facts of nobody, and attestation refuses them.
 */
static __always_inline void replace_owner(struct listener_entry *entry,
					  const struct listener_entry *by)
{
	entry->socket_cookie = 0; /* no verdict fits while the rest changes */
	entry->process = by->process;
	entry->image = by->image;
	entry->v6only = by->v6only;
	entry->followed = by->followed;
	entry->socket_cookie = by->socket_cookie;
}

static __always_inline void lose_listener(void)
{
	struct datapath_control *now = control_now();

	count(COUNTER_LISTENER_NOT_SAVED);
	if (now)
		now->listeners_lost = 1;
}

/* Enters a socket once, whoever sees it first: the hook at listen() or the seed. */
static __always_inline void enter_listener(const struct live_listener *found)
{
	struct listener_entry *entry;

	if (bpf_map_update_elem(&listening, &found->entry.socket_cookie, &found->key, BPF_NOEXIST))
		return;
	count(COUNTER_LISTENER_SEEN);
	entry = bpf_map_lookup_elem(&listeners, &found->key);
	if (entry) {
		__sync_fetch_and_add(&entry->sockets, 1);
		replace_owner(entry, &found->entry);
		/* The agent may have deleted it as empty between these lines. */
		if (bpf_map_lookup_elem(&listeners, &found->key))
			return;
	}
	if (bpf_map_update_elem(&listeners, &found->key, &found->entry, BPF_NOEXIST))
		lose_listener();
}

/* The socket has left LISTEN. */
static __always_inline void leave_listener(__u64 cookie)
{
	struct listener_key *at = bpf_map_lookup_elem(&listening, &cookie);
	struct listener_entry *entry;
	struct listener_key key;

	if (!at)
		return;
	key = *at;
	bpf_map_delete_elem(&listening, &cookie);
	entry = bpf_map_lookup_elem(&listeners, &key);
	if (!entry)
		return;
	__sync_fetch_and_sub(&entry->sockets, 1);
	if (entry->socket_cookie == cookie) /* sockets that are left have another owner */
		entry->socket_cookie = 0;
}

static __always_inline struct listener_entry *listener_at(const struct listener_key *key)
{
	struct listener_entry *entry = bpf_map_lookup_elem(&listeners, key);

	return entry && entry->sockets ? entry : NULL;
}

/*
 * Who listens for a SYN to key->local, in the kernel's order (inet_lookup_listener()): the exact
 * address, the wildcard of the family, and for IPv4 the wildcard of IPv6 sockets. Leaves in `key`
 * where it was found.
 */
static __always_inline struct listener_entry *find_listener(struct listener_key *key)
{
	bool ip4 = endpoint_is_mapped(&key->local);
	struct listener_entry *entry = listener_at(key);

	if (entry)
		return entry;
	if (ip4) {
		endpoint_set_ip4(&key->local, 0, key->local.port);
		entry = listener_at(key);
		if (entry)
			return entry;
	}
	endpoint_set_words(&key->local, 0, 0, 0, 0, key->local.port);
	entry = listener_at(key);
	return entry && ip4 && entry->v6only ? NULL : entry;
}

/* Has the owner done exec or exited since the entry was made? Then its verdict is void. */
static __always_inline bool owner_has_changed(const struct listener_entry *entry)
{
	__u32 tgid = entry->process.tgid;
	struct exec_record *newest = bpf_map_lookup_elem(&execs, &tgid);

	return newest && (newest->start_time_ns != entry->process.start_time_ns ||
			  newest->exec_id != entry->process.exec_id);
}

/* Has the agent decided, under the policy in force, to leave this very listener alone? */
static __always_inline bool has_listener_verdict(const struct listener_key *key,
						 const struct listener_entry *entry)
{
	struct listener_verdict_entry *known = bpf_map_lookup_elem(&listener_verdicts, key);

	return known && (known->verdict & PROCESS_VERDICT_LEAVE_INBOUND) &&
	       known->socket_cookie == entry->socket_cookie &&
	       known->policy_generation == policy_generation();
}

/*
 * Or else whatever the owner listens for? Of several sockets at an address some may be another
 * process's; without a cookie, the owner is being replaced, or has no socket here any more; a socket
 * that nobody follows may be closed, and another process listen at a wildcard behind this entry. Its
 * user and cgroup are those of its listen(): the agent decides so only where no others would change
 * it, and takes the verdict back when the owner does exec.
 */
static __always_inline bool has_owner_verdict(const struct listener_entry *entry)
{
	return entry->sockets == 1 && entry->socket_cookie && entry->followed &&
	       is_left_alone(&entry->process, PROCESS_VERDICT_LEAVE_INBOUND);
}

static __always_inline bool is_left_alone_listener(const struct listener_key *key,
						   const struct listener_entry *entry)
{
	if (!has_listener_verdict(key, entry) && !has_owner_verdict(entry))
		return false;
	return !owner_has_changed(entry);
}

#endif /* KITH_LISTENER_TABLE_BPF_H */
