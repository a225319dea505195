/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From one TLS record header of an outgoing stream to the next (RFC 8446 section 5). */
#ifndef KITH_TLS_WALK_BPF_H
#define KITH_TLS_WALK_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/outer.h"

#define TLS_CHANGE_CIPHER_SPEC 20
#define TLS_APPLICATION_DATA   23

#define TLS_MAX_PLAINTEXT      (1 << 14)
#define TLS_MAX_CIPHERTEXT     (TLS_MAX_PLAINTEXT + 256)
#define TLS_MIN_CIPHERTEXT     17 /* a content type and the tag of an AEAD */

/*
 * Records in one segment: a segment has 512 KB at most (BIG TCP; else 64 KB, or two packets of a
 * device with longer ones: 128 KB on lo), a record 22 bytes at least. Without bpf_loop() the
 * verifier goes through every turn, and bounds them: records of 512 bytes fill lo's segments.
 */
#define MAX_RECORDS	    (1 << 15)
#define MAX_BOUNDED_RECORDS 256

enum walk_end {
	WALK_GOES_ON = 0,
	WALK_DONE, /* the segment ends in a record, or in a header */
	WALK_NOT_TLS,
	WALK_UNREADABLE,
};

struct walk {
	struct __sk_buff *skb;
	struct outer_watch *watch;
	__u32 at;    /* offset of the next header byte that has not passed */
	__u32 bytes; /* of the segment, from its network header */
	enum walk_end end;
};

/* What has passed of a header says at once that it is none: plaintext is not waited for. */
static __always_inline bool may_be_header(const struct outer_watch *watch, __u32 held)
{
	const __u8 *header = watch->header;
	bool sealed = header[0] == TLS_APPLICATION_DATA;
	__u32 length = header[3] << 8 | header[4];

	if (header[0] < TLS_CHANGE_CIPHER_SPEC || header[0] > TLS_APPLICATION_DATA)
		return false;
	/* Who has sent an encrypted record never sends another in the clear. */
	if (watch->state == OUTER_SEALED && !sealed)
		return false;
	if (held > 1 && header[1] != 3)
		return false;
	/* 0x0301 until the version is agreed upon: ClientHello, early alerts. */
	if (held > 2 && header[2] != 3 && (sealed || header[2] != 1))
		return false;
	if (held > 3 && header[3] > TLS_MAX_CIPHERTEXT >> 8)
		return false;
	if (held < TLS_HEADER_BYTES)
		return true;
	if (sealed)
		return length >= TLS_MIN_CIPHERTEXT && length <= TLS_MAX_CIPHERTEXT;
	return length > 0 && length <= TLS_MAX_PLAINTEXT;
}

/* Reads on from walk->at until the header is complete or the segment ends. */
static __always_inline bool read_header(struct walk *walk)
{
	struct outer_watch *watch = walk->watch;
	__u8 held = watch->held;
	__u64 index;

	if (!held && walk->bytes - walk->at >= TLS_HEADER_BYTES) {
		if (bpf_skb_load_bytes(walk->skb, walk->at, watch->header, TLS_HEADER_BYTES))
			return false;
		walk->at += TLS_HEADER_BYTES;
		watch->held = TLS_HEADER_BYTES;
		return true;
	}
	for (int i = 0; i < TLS_HEADER_BYTES; i++) {
		/* Read anew: the verifier loses the bound of an index that clang computes. */
		held = *(volatile __u8 *)&watch->held;
		if (held >= TLS_HEADER_BYTES || walk->at >= walk->bytes)
			break;
		/* Below 8 is within the record. Before 6.3 a bound does not reach a spilled copy. */
		index = held;
		asm volatile("%0 &= 7" : "+r"(index));
		if (bpf_skb_load_bytes(walk->skb, walk->at, &watch->header[index], 1))
			return false;
		walk->at++;
		watch->held = held + 1;
	}
	return true;
}

static __always_inline enum walk_end pass_record(struct walk *walk)
{
	struct outer_watch *watch = walk->watch;
	__u32 length;

	if (walk->at >= walk->bytes)
		return WALK_DONE;
	if (!read_header(walk))
		return WALK_UNREADABLE;
	if (!may_be_header(watch, watch->held))
		return WALK_NOT_TLS;
	if (watch->held < TLS_HEADER_BYTES)
		return WALK_DONE;
	length = watch->header[3] << 8 | watch->header[4];
	watch->state = watch->header[0] == TLS_APPLICATION_DATA ? OUTER_SEALED : OUTER_PLAIN;
	watch->header_seq += TLS_HEADER_BYTES + length;
	watch->held = 0;
	walk->at += length;
	return WALK_GOES_ON;
}

static long one_turn(__u32 turn, struct walk *walk)
{
	walk->end = pass_record(walk);
	return walk->end != WALK_GOES_ON;
}

/* WALK_GOES_ON: there are more records in the segment than can be walked. */
static __always_inline enum walk_end walk_records(struct walk *walk)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop)) {
		bpf_loop(MAX_RECORDS, one_turn, walk, 0);
		return walk->end;
	}
	for (__u32 turn = 0; turn < MAX_BOUNDED_RECORDS; turn++)
		if (one_turn(turn, walk))
			break;
	return walk->end;
}

#endif /* KITH_TLS_WALK_BPF_H */
