#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the end-to-end tests, or a command, on other kernels: Debian's, booted by
# QEMU without hardware support. See test/vm/README.md.
#
#   scripts/vm-test.sh [--path PATH,...] [--tests NAME,...] [--jobs N] KERNEL...
#   scripts/vm-test.sh --matrix [--path PATH,...] [--jobs N] [KERNEL...]
#   scripts/vm-test.sh --run COMMAND [--with FILE]... KERNEL...
#
# KERNEL is the beginning of a version: 5.10, 6.1, 6.12; 7.x is the newest 7.
# --matrix is the tests of test/vm/matrix on ktls and userspace, on 6.1, 6.12 and
# 7.x. PATH is auto (default), ktls, userspace or direct; NAME a part of a test's
# name. --with adds a FILE of the tree that git does not know. --timeout SECONDS
# is for each guest. KITH_BINARY is the program under test; without it,
# build/kith is built. The last line of tests is `N passed, N failed`.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
for part in log apt suite cache tree vm_root vm_kernel vm_image vm_run \
  vm_tests; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

readonly MATRIX_KERNELS=(6.1 6.12 7.x)
readonly MATRIX_PATHS=(ktls userspace)
readonly PACKAGES=(qemu-system-x86 e2fsprogs kmod cpio xz-utils)

KERNELS=()
PATHS=()
TESTS=()
FILES=()
JOBS=1
COMMAND=
MATRIX=
LIMIT=7200
PROGRAM=${KITH_BINARY:-$ROOT/build/kith}

parse() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --path) IFS=, read -ra PATHS <<< "${2:?--path needs a path}" && shift ;;
      --tests) IFS=, read -ra TESTS <<< "${2:?--tests needs names}" && shift ;;
      --matrix) MATRIX=1 ;;
      --jobs) JOBS=${2:?--jobs needs a number} && shift ;;
      --run) COMMAND=${2:?--run needs a command} && shift ;;
      --with) FILES+=("$ROOT/${2:?--with needs a file}=kith/$2") && shift ;;
      --timeout) LIMIT=${2:?--timeout needs seconds} && shift ;;
      -*) die "unknown option '$1'; see the head of $0" ;;
      *) KERNELS+=("$1") ;;
    esac
    shift
  done
  [[ ! $MATRIX ]] || fill_matrix
  [[ ${#PATHS[@]} -gt 0 ]] || PATHS=(auto)
  [[ ${#KERNELS[@]} -gt 0 ]] || die "no KERNEL; see the head of $0"
}

fill_matrix() {
  [[ ${#TESTS[@]} -gt 0 ]] ||
    mapfile -t TESTS < <(grep -v '^#' "$ROOT/test/vm/matrix")
  [[ ${#PATHS[@]} -gt 0 ]] || PATHS=("${MATRIX_PATHS[@]}")
  [[ ${#KERNELS[@]} -gt 0 ]] || KERNELS=("${MATRIX_KERNELS[@]}")
}

run_command() {
  local kernel status=0
  for kernel in "${KERNELS[@]}"; do
    vm_run "$kernel" "$LIMIT" "$PROGRAM" "$COMMAND" "${FILES[@]}" || status=$?
  done
  return "$status"
}

end_guests() {
  local group
  for group in $(jobs -p); do
    kill -- "-$group" 2> /dev/null || true
  done
}

# Each kernel and path has a guest of its own, in a process group of its own, so
# that it ends with this script; JOBS of them at a time.
run_tests() {
  local results foreign kernel path passed failed
  local -a all=()
  results=$(mktemp -d)
  foreign=$(vm_go_spiffe)
  set -m
  trap end_guests EXIT
  for kernel in "${KERNELS[@]}"; do
    for path in "${PATHS[@]}"; do
      [[ $(jobs -rp | wc -l) -lt $JOBS ]] || wait -n || true
      vm_test "$kernel" "$path" "$results/$kernel-$path" "$LIMIT" "$PROGRAM" \
        "$foreign" "${TESTS[@]}" &
      all+=("$results/$kernel-$path")
    done
  done
  wait
  read -r passed failed < <(vm_sum "${all[@]}")
  rm -rf "$results"
  echo "$passed passed, $failed failed"
  [[ $failed -eq 0 && $passed -gt 0 ]]
}

main() {
  parse "$@"
  [[ $(id -u) -eq 0 ]] || die 'the image of the guests has files of several
users: run it as root'
  [[ ${KITH_BINARY:-} ]] || "$SCRIPTS/build.sh" kith
  apt_install "${PACKAGES[@]}"
  vm_images "${KERNELS[@]}"
  if [[ $COMMAND ]]; then
    run_command
  else
    run_tests
  fi
}

main "$@"
