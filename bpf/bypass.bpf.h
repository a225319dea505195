/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KITH_BYPASS_BPF_H
#define KITH_BYPASS_BPF_H

#include <bpf/bpf_endian.h>

#include "bpf/maps.bpf.h"
#include "bpf/settings.bpf.h"

#define BYPASS_KEY_BITS (BYPASS_PORT_BITS + 128)

static __always_inline bool matches_bypass(const struct flow_endpoint *destination, __u16 port)
{
	struct bypass_key key = {.prefix_length = BYPASS_KEY_BITS};

	key.port[0] = port >> 8;
	key.port[1] = port & 0xff;
	__builtin_memcpy(key.address, destination->address, sizeof(key.address));
	return bpf_map_lookup_elem(&bypass, &key) != NULL;
}

static __always_inline bool is_bypassed(const struct flow_endpoint *destination)
{
	if (!has_bypass_rules)
		return false;
	return matches_bypass(destination, destination->port) || matches_bypass(destination, 0);
}

#endif /* KITH_BYPASS_BPF_H */
