# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The cache of built dependencies. An entry appears by one rename, after its
# build succeeded: whatever directory exists is good, whatever was interrupted
# is in tmp/.

KITH_CACHE=${KITH_CACHE:-${XDG_CACHE_HOME:-${HOME:?neither HOME nor KITH_CACHE is set}/.cache}/kith}

# One builder at a time: a second one waits and then finds everything built.
cache_lock() {
  mkdir -p "$KITH_CACHE/tmp"
  exec {CACHE_LOCK_FD}> "$KITH_CACHE/lock"
  flock -n "$CACHE_LOCK_FD" && return 0
  log_step "another build fills $KITH_CACHE: waiting for it"
  flock "$CACHE_LOCK_FD"
}

# Prints a fresh directory on the file system of the cache. Those of earlier
# interrupted builds are removed: the caller holds the lock, so nobody uses them.
cache_scratch() {
  rm -rf "${KITH_CACHE:?}/tmp/"*
  mktemp -d "$KITH_CACHE/tmp/XXXXXX"
}

# cache_key FILE... : a short name for the contents of recipe files and for what
# is given on stdin (compiler, flags).
cache_key() {
  { sha256sum - && sha256sum "$@" | cut -d' ' -f1; } |
    sha256sum | cut -c1-16
}
