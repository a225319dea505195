/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* How far the hook on outgoing segments has followed an outer socket. */
#ifndef KITH_ABI_OUTER_H
#define KITH_ABI_OUTER_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum outer_state {
	OUTER_SILENT = 0,    /* has sent nothing: its first byte begins a record */
	OUTER_PLAIN = 1,     /* in the part of the handshake before encryption */
	OUTER_SEALED = 2,    /* has sent an encrypted record: only such from now on */
	OUTER_NOT_TLS = 3,   /* tried to send something else: sends nothing more */
	OUTER_UNCHECKED = 4, /* could not be followed any further */
};

#define TLS_HEADER_BYTES 5 /* RFC 8446 section 5.1: type, version, length */

/*
 * Value of the storage of an outer socket. The agent makes it, with `flow` set, before the socket
 * sends anything; everything else is the hook's. One writer: the kernel sends the segments of a
 * socket one after the other, under its lock.
 */
struct outer_watch {
	__u64 flow;	  /* the agent's name for it, given back in the event */
	__u32 header_seq; /* TCP sequence number of the next record header */
	__u8 state;	  /* enum outer_state */
	__u8 held;	  /* bytes of that header that have passed already */
	__u8 reported;	  /* the event was sent */
	__u8 header[TLS_HEADER_BYTES];
	__u8 reserved[4];
};

#ifdef __cplusplus
static_assert(sizeof(outer_watch) == 24);
#endif

#endif /* KITH_ABI_OUTER_H */
