#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures kith's paths against each other and against no kith, in a guest with
# that kernel, and prints one table with the ratios. See test/bench/README.md.
#
#   scripts/vm-bench.sh [--seconds N] [--rounds N] [--only NAME,...] KERNEL...
#
# The guest is emulated, and its clock counts instructions: a second in the table
# is 1e9 of them. That says how much work a path is, whatever else this machine
# does, and nothing of how fast it is anywhere. KITH_BINARY is the program under
# test; without it, build/kith is built..
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
for part in log apt suite cache tree vm_root vm_kernel vm_image vm_run; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

readonly PACKAGES=(qemu-system-x86 e2fsprogs kmod cpio xz-utils)
readonly LOAD=build/test/bench/kith_load
readonly LIMIT=1800
# vm_cpus KERNEL: one, which the guest's clock counts the instructions of. rep
# movsb is emulated byte by byte: a copy would cost eight times what it does with
# rep movsq, which is nearer to any real CPU. One CPU may have cmpxchg16b, and no
# cache need be debugged: both would make the kernel's memory dearer, and with it
# ktls, by 7 %.
vm_cpus() {
  printf '%s\n' -accel tcg,thread=single -icount shift=0,sleep=off \
    -cpu max,-erms,-fsrm -smp 1
}

vm_memory_options() {
  :
}

OPTIONS=()
KERNELS=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --seconds | --rounds | --only)
      OPTIONS+=("$1" "${2:?$1 needs a value}") && shift ;;
    -*) die "unknown option '$1'; see the head of $0" ;;
    *) KERNELS+=("$1") ;;
  esac
  shift
done
[[ ${#KERNELS[@]} -gt 0 ]] || die "no KERNEL; see the head of $0"

[[ ${KITH_BINARY:-} ]] || "$SCRIPTS/build.sh" kith
"$SCRIPTS/build.sh" kith_load
apt_install "${PACKAGES[@]}"
vm_images "${KERNELS[@]}"
for kernel in "${KERNELS[@]}"; do
  vm_run "$kernel" "$LIMIT" "${KITH_BINARY:-$ROOT/build/kith}" \
    "test/bench/paths.py${OPTIONS[*]:+ ${OPTIONS[*]}}" "$ROOT/$LOAD=kith/$LOAD"
done
