/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KITH_COUNTERS_BPF_H
#define KITH_COUNTERS_BPF_H

#include "bpf/maps.bpf.h"

static __always_inline void count(enum kith_counter counter)
{
	__u32 key = counter;
	__u64 *value = bpf_map_lookup_elem(&counters, &key);

	if (value)
		*value += 1; /* of this cpu: no other writer but a nested hook */
}

#endif /* KITH_COUNTERS_BPF_H */
