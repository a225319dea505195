/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * What an application is told of a captured socket, by
 *
 *   getsockopt(fd, KITH_SOL_IDENTITY, KITH_SO_IDENTITY, buffer, &length)
 *
 * Numbers and layout are those of Riptides, so that programs written for it work unchanged.
 */
#ifndef KITH_ABI_IDENTITY_H
#define KITH_ABI_IDENTITY_H

#include "abi/flow.h"

#define KITH_SOL_IDENTITY 7891
#define KITH_SO_IDENTITY  1

/* Bytes only, without gaps. Texts end with 0 and are empty where there is nothing to tell. */
struct shown_identity {
	__u8 enabled;		  /* 1: mutual TLS; 0: the bytes go as they are */
	char mtls_type[16];	  /* "MUTUAL" */
	char spiffe_id[256];	  /* of the application's own process */
	char peer_spiffe_id[256]; /* authorised */
	char alpn[256];		  /* between the agents; "kith/1" */
};

/* Value of the table of identities. */
struct socket_identity {
	struct shown_identity shown;
	__u8 reserved[7];
};

#ifdef __cplusplus
static_assert(sizeof(shown_identity) == 785);
static_assert(sizeof(socket_identity) == 792);
#endif

#endif /* KITH_ABI_IDENTITY_H */
