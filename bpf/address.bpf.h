/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses as in abi/flow.h: 16 bytes, IPv4 as mapped. */
#ifndef KITH_ADDRESS_BPF_H
#define KITH_ADDRESS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/flow.h"

/* Of the kernel's ABI (linux/socket.h, linux/in.h); vmlinux.h has no macros. */
enum {
	AF_INET = 2,
	AF_INET6 = 10,
	SOCK_STREAM = 1,
	IPPROTO_TCP = 6,
};

#define LOOPBACK_IP4	  bpf_htonl(0x7f000001)
#define MAPPED_IP6_WORD	  bpf_htonl(0x0000ffff) /* third word of ::ffff:0:0/96 */
#define LOOPBACK_IP6_WORD bpf_htonl(1)		/* last word of ::1 */

static __always_inline void endpoint_set_words(struct flow_endpoint *endpoint, __u32 a, __u32 b,
					       __u32 c, __u32 d, __u16 port)
{
	__u32 *words = (__u32 *)endpoint->address;

	__builtin_memset(endpoint, 0, sizeof(*endpoint));
	words[0] = a;
	words[1] = b;
	words[2] = c;
	words[3] = d;
	endpoint->port = port;
}

/*
 * For the verifier, all kernels: clang joins reads of neighbouring words of a context into reads of
 * 8 bytes, which are refused for most contexts. A volatile read stays as it is written.
 */
#define READ_WORD(field) (*(volatile __u32 *)&(field))

/* `words` is a member of a context: four words in network order. */
#define endpoint_set_ip6(endpoint, words, port)                                                    \
	endpoint_set_words(endpoint, READ_WORD((words)[0]), READ_WORD((words)[1]),                 \
			   READ_WORD((words)[2]), READ_WORD((words)[3]), port)

/* `ip4` in network order, `port` in host order. */
static __always_inline void endpoint_set_ip4(struct flow_endpoint *endpoint, __u32 ip4, __u16 port)
{
	endpoint_set_words(endpoint, 0, 0, MAPPED_IP6_WORD, ip4, port);
}

static __always_inline bool endpoint_is_mapped(const struct flow_endpoint *endpoint)
{
	const __u32 *words = (const __u32 *)endpoint->address;

	return words[0] == 0 && words[1] == 0 && words[2] == MAPPED_IP6_WORD;
}

static __always_inline bool endpoint_equals(const struct flow_endpoint *a,
					    const struct flow_endpoint *b)
{
	const __u32 *x = (const __u32 *)a->address, *y = (const __u32 *)b->address;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] && a->port == b->port;
}

#endif /* KITH_ADDRESS_BPF_H */
