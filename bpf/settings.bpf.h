/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent sets between open and load: the verifier prunes by it. */
#ifndef KITH_SETTINGS_BPF_H
#define KITH_SETTINGS_BPF_H

#include "vmlinux.h"

/* The managed cgroup: its id and its depth below the root. */
const volatile __u64 managed_cgroup_id;
const volatile __u32 managed_cgroup_level;

const volatile bool has_bypass_rules;

/* Whether there are passes at all. */
const volatile bool gives_passes;

#endif /* KITH_SETTINGS_BPF_H */
