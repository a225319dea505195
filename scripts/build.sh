#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds kith, from a fresh clone on a fresh Debian 12 machine or after an edit.
#
#   scripts/build.sh [--preset release|dev|asan|tsan] [TARGET...]
#
# Without targets it builds kith, in the release preset build/kith: one static,
# stripped program. The target `all` has the tests too.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
# shellcheck source=scripts/lib/log.sh
. "$SCRIPTS/lib/log.sh"

# One file to copy to a node; what grows beyond this has linked in a library
# that it does not need.
readonly MAX_RELEASE_BYTES=$((9500 * 1024))

# check_static PROGRAM: no interpreter, so that it runs in an empty root.
check_static() {
  local answer
  answer=$(ldd "$1" 2>&1) || true
  [[ $answer == *'statically linked'* ||
    $answer == *'not a dynamic executable'* ]] ||
    die "$1 needs shared libraries: $answer"
}

check_size() {
  local bytes
  bytes=$(stat -c %s "$1")
  ((bytes <= MAX_RELEASE_BYTES)) ||
    die "$1 has $bytes bytes, more than $MAX_RELEASE_BYTES"
}

# configure PRESET BUILD DEPS_DIR: only when Ninja could not do it by itself.
configure() {
  local known=
  if [[ -f $2/build.ninja ]]; then
    known=$(sed -n 's/^KITH_DEPS_DIR:PATH=//p' "$2/CMakeCache.txt")
  fi
  [[ $known == "$3" ]] || (
    cd "$ROOT"
    cmake --preset "$1" -DKITH_DEPS_DIR="$3"
  ) >&2
}

main() {
  local preset=release flavour=release build deps program
  local -a targets=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      --preset) preset=${2:?--preset needs a name} && shift ;;
      -*) die "unknown option '$1'; see the head of $0" ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
  case $preset in
    release) build=$ROOT/build ;;
    dev) build=$ROOT/build-dev ;;
    asan | tsan) flavour=$preset build=$ROOT/build-$preset ;;
    *) die "unknown preset '$preset'; use release, dev, asan or tsan" ;;
  esac

  "$SCRIPTS/deps.sh" --flavour "$flavour"
  deps=$("$SCRIPTS/deps.sh" --flavour "$flavour" --print-dir)
  configure "$preset" "$build" "$deps"
  [[ ${#targets[@]} -gt 0 ]] || targets=(kith)
  ninja -C "$build" "${targets[@]}" >&2

  program=$build/kith
  [[ -x $program ]] || return 0
  if [[ $preset == release ]]; then
    check_static "$program"
    check_size "$program"
  fi
  log_step "$program: $(numfmt --to=iec "$(stat -c %s "$program")")"
}

main "$@"
