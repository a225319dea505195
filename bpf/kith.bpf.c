// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The object of the hooks that are loaded once, in the order in which a connection meets them: one
 * translation unit, so that they share maps and settings. sk_lookup.bpf.c, loaded once for each
 * network namespace, is an object of its own.
 */
#include "bpf/connect.bpf.c"
#include "bpf/sockops.bpf.c"
#include "bpf/getpeername.bpf.c"
#include "bpf/identity.bpf.c"
#include "bpf/process.bpf.c"
#include "bpf/seed.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
