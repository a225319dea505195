#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a foreign program that the tests talk to (test/clients), once, into the
# cache, and prints the directory that has it. NAME is a recipe in scripts/clients.
#
#   scripts/clients.sh [--print-path] NAME     --print-path builds nothing
#
# A recipe sets INPUTS, the files that the result depends on beside the recipe, and
# has the function build_client DIR, which fills an empty directory.
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034  # the recipes use it
ROOT=$(dirname "$SCRIPTS")
for part in log apt cache; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

main() {
  local build=1 name recipe dir scratch lock
  local -a INPUTS=()
  [[ ${1:-} != --print-path ]] || { build=0 && shift; }
  name=${1:?which client? see the head of $0}
  recipe=$SCRIPTS/clients/$name.sh
  [[ -f $recipe ]] || die "no client '$name'; there are: $(
    cd "$SCRIPTS/clients" && printf '%s ' *.sh)"
  # shellcheck disable=SC1090
  . "$recipe"
  dir=$KITH_CACHE/client-$name-$(cache_key "$recipe" "${INPUTS[@]}" < /dev/null)
  if ((build)) && [[ ! -d $dir ]]; then
    mkdir -p "$KITH_CACHE"
    exec {lock}> "$KITH_CACHE/client-$name.lock"
    flock "$lock"
    if [[ ! -d $dir ]]; then
      log_step "building the client $name"
      scratch=$KITH_CACHE/client-$name.new
      rm -rf "$scratch"
      mkdir "$scratch"
      build_client "$scratch" >&2
      mv "$scratch" "$dir"
    fi
  fi
  printf '%s\n' "$dir"
}

main "$@"
