#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the end-to-end tests, or a command, on other kernels: Debian's, booted by
# QEMU without hardware support. See test/vm/README.md.
#
#   scripts/vm-test.sh [--path PATH,...] [--tests NAME,...] [--jobs N] KERNEL...
#   scripts/vm-test.sh --run COMMAND [--with FILE]... KERNEL...
#
# KERNEL is the beginning of a version: 5.10, 6.1, 6.12, or 7.x for the newest.
# PATH is auto (default), ktls, userspace or sockmap. KITH_BINARY is the program
# to take; without it, build/kith is built. --timeout SECONDS is for each guest.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
for part in log apt suite cache tree vm_root vm_kernel vm_image vm_run; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

readonly PACKAGES=(qemu-system-x86 e2fsprogs kmod cpio xz-utils)

KERNELS=()
FILES=()
RUN=
SECONDS_EACH=3600

parse() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --run) RUN=${2:?--run needs a command} && shift ;;
      --with) FILES+=("${2:?--with needs a file of the tree}") && shift ;;
      --timeout) SECONDS_EACH=${2:?--timeout needs seconds} && shift ;;
      -*) die "unknown option '$1'; see the head of $0" ;;
      *) KERNELS+=("$1") ;;
    esac
    shift
  done
  [[ ${#KERNELS[@]} -gt 0 ]] || die "no KERNEL; see the head of $0"
}

main() {
  local kernel status=0 program=${KITH_BINARY:-$ROOT/build/kith}
  parse "$@"
  [[ ${KITH_BINARY:-} ]] || "$SCRIPTS/build.sh" kith
  apt_install "${PACKAGES[@]}"
  vm_images "${KERNELS[@]}"
  for kernel in "${KERNELS[@]}"; do
    vm_run "$kernel" "$SECONDS_EACH" "$program" "$RUN" "${FILES[@]}" || status=$?
  done
  return "$status"
}

main "$@"
