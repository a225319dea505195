#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Formats the C and C++ files that git knows or would add.
#
#   scripts/format.sh [--check] [FILE...]
#
# --check changes nothing and fails if something would change.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in log apt tree; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

# Pinned: another major version breaks lines elsewhere.
readonly CLANG_FORMAT=clang-format-14

main() {
  local -a options=(-i) files=()
  local index
  if [[ ${1:-} == --check ]]; then
    options=(--dry-run --Werror)
    shift
  fi
  apt_install "$CLANG_FORMAT"
  cd "$(dirname "$SCRIPTS")"
  files=("$@")
  [[ $# -gt 0 ]] || mapfile -t files < <(tree_files '*.h' '*.cc' '*.c')
  # vmlinux.h is the hooks', and lies where no style file of theirs applies.
  "$CLANG_FORMAT" "${options[@]}" --style=file:bpf/.clang-format vmlinux.h
  for index in "${!files[@]}"; do
    [[ ${files[index]} != vmlinux.h ]] || unset 'files[index]'
  done
  [[ ${#files[@]} -eq 0 ]] || "$CLANG_FORMAT" "${options[@]}" "${files[@]}"
}

main "$@"
