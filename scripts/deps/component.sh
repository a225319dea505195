# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Builds one component from the first of its pinned sources that works.

declare -A COMPONENT_DIRS=()

# component_build NAME FLAVOUR: sets COMPONENT_DIRS[NAME].
component_build() {
  local name=$1 flavour=$2 dir scratch log started=$SECONDS pin sum
  # shellcheck source=/dev/null
  . "$DEPS_SCRIPTS/$name.sh"
  dir=$KITH_CACHE/$name-$(component_key "$name" "$flavour")
  COMPONENT_DIRS[$name]=$dir
  [[ ! -d $dir ]] || return 0

  log=$KITH_CACHE/$name.log
  while read -r pin sum; do
    log_step "$name: ${pin##*/}"
    scratch=$(cache_scratch)
    if component_from "$name" "$pin" "$sum" "$scratch" > "$log" \
      < /dev/null; then
      mv "$scratch/out" "$dir"
      log_step "$name: ready after $((SECONDS - started)) s"
      cache_scratch > /dev/null
      return 0
    fi
    log_step "$name: ${pin##*/} did not work (log: $log)"
  done < <(component_pins "$name")
  die "no source of $name worked; see $log and the lines above"
}

# component_from NAME PIN SHA256 SCRATCH: leaves the result in SCRATCH/out. The
# recipe gets the tarball, or the pin itself when the source is a package.
component_from() {
  local name=$1 pin=$2 sum=$3 scratch=$4 source suite package
  mkdir "$scratch/out"
  case $pin in
    apt:*) apt_install "${pin#apt:}" || return 1 ;;
    suite:*)
      IFS=:/ read -r _ suite package <<< "$pin"
      read -r pin sum < <(suite_orig "$suite" "$package" "$scratch") || return 1
      ;;
  esac
  source=$pin
  if [[ $pin != apt:* ]]; then
    source=$scratch/${pin##*/}
    fetch_pool "$pin" "$sum" "$source" || return 1
  fi
  printf '%s %s\n' "$pin" "$sum" > "$scratch/out/SOURCE"
  "build_$name" "$source" "$scratch" "$scratch/out"
}

component_pins() {
  awk -v name="$1" '$1 == name { print $2, $3 }' "$DEPS_SCRIPTS/pins"
}

component_key() {
  {
    printf '%s %s %s\n' "$2" "$DEPS_FLAGS" "$("$DEPS_CXX" --version)"
    component_pins "$1"
  } | cache_key "$DEPS_SCRIPTS/$1"* "$DEPS_SCRIPTS/cmake_build.sh"
}

# flavour_publish DIR: one directory of links, in place by one rename.
flavour_publish() {
  local scratch name
  scratch=$(cache_scratch)
  for name in "${!COMPONENT_DIRS[@]}"; do
    ln -s "../${COMPONENT_DIRS[$name]##*/}" "$scratch/$name"
  done
  chmod 755 "$scratch"
  mv -T "$scratch" "$1"
}
