#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the packages and builds the third-party libraries that kith needs,
# once, into a cache outside the tree. Costs a second when nothing is missing.
#
#   scripts/deps.sh [--flavour release|asan|tsan] [--print-dir]
#
# --print-dir prints where the flavour's libraries are and changes nothing.
# KITH_CACHE names the cache (default: $XDG_CACHE_HOME/kith or ~/.cache/kith).
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DEPS_SCRIPTS=$SCRIPTS/deps
for part in lib/log lib/apt lib/fetch lib/suite lib/cache deps/flavours \
  deps/cmake_build deps/component; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/$part.sh"
done

readonly COMPONENTS=(libbpf httplib asio catch2 abseil boringssl)
readonly PACKAGES=(g++ cmake make ninja-build ccache bpftool dpkg-dev xz-utils
  bzip2 ca-certificates libelf-dev zlib1g-dev nlohmann-json3-dev
  libyaml-cpp-dev libcli11-dev libnghttp2-dev libprotobuf-dev protobuf-compiler
  python3 iproute2)

# Everything that decides what is built, so that a changed recipe, pin or
# compiler gives another directory.
flavour_dir() {
  local compiler
  compiler=$("$DEPS_CXX" -dumpfullversion -dumpversion 2> /dev/null) ||
    compiler=absent
  printf '%s/%s-%s\n' "$KITH_CACHE" "$1" "$(cache_key \
    "$DEPS_SCRIPTS"/* <<< "$DEPS_CXX $compiler $DEPS_FLAGS")"
}

install_packages() {
  local bpf_compiler=clang-14
  if [[ -z $(apt_missing clang-19) ]] || apt_has clang-19; then
    bpf_compiler=clang-19
  fi
  apt_install "${PACKAGES[@]}" "$bpf_compiler" "${DEPS_PACKAGES[@]}"
}

# build_flavour FLAVOUR DIR: whoever waited for the lock may find it done.
build_flavour() {
  local name
  cache_lock
  [[ ! -d $2 ]] || return 0
  for name in "${COMPONENTS[@]}"; do
    component_build "$name" "$1"
  done
  flavour_publish "$2"
}

main() {
  local flavour=release print_only='' dir
  while [[ $# -gt 0 ]]; do
    case $1 in
      --flavour) flavour=${2:?--flavour needs a name} && shift ;;
      --print-dir) print_only=yes ;;
      *) die "unknown argument '$1'; see the head of $0" ;;
    esac
    shift
  done
  flavour_select "$flavour"
  if [[ $print_only ]]; then
    flavour_dir "$flavour"
    return
  fi

  install_packages
  dir=$(flavour_dir "$flavour")
  [[ -d $dir ]] || build_flavour "$flavour" "$dir"
  log_step "dependencies ($flavour): $dir"
}

main "$@"
