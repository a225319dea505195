#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds test/e2e/gospiffe, a client made of go-spiffe, once, into the cache, and
# prints its path. Go and the libraries are Debian's, of a newer suite than the
# machine's: they are unpacked aside and never installed.
#
#   scripts/gospiffe.sh [--print-path]     --print-path builds nothing
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(dirname "$SCRIPTS")/test/e2e/gospiffe/main.go
for part in log apt cache; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

readonly SUITE=trixie
readonly GO=1.24
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# unpack_packages DIR: downloads with apt, by lists and a status of its own, so
# that the machine's are not touched, and unpacks everything into DIR/root.
unpack_packages() {
  local dir=$1 mirror file
  mkdir -p "$dir"/{lists/partial,archives/partial,root}
  : > "$dir/status"
  local -a apt=(apt-get -q -y -o "Dir::Etc::SourceList=$dir/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o "Dir::State=$dir"
    -o "Dir::State::Lists=$dir/lists" -o "Dir::State::status=$dir/status"
    -o "Dir::Cache=$dir" -o "Dir::Cache::archives=$dir/archives"
    -o Debug::NoLocking=1 -o APT::Sandbox::User=)
  mirror=$(apt_mirrors | head -n 1)
  printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$mirror" "$SUITE" \
    > "$dir/sources.list"
  "${apt[@]}" update >&2
  "${apt[@]}" install --download-only --no-install-recommends \
    golang-github-spiffe-go-spiffe-dev "golang-$GO-go" >&2
  for file in "$dir"/archives/*.deb; do
    dpkg -x "$file" "$dir/root"
  done
}

# compile DIR: a static program, without the network and without modules.
compile() {
  local root=$1/root
  env GOROOT="$root/usr/lib/go-$GO" GOPATH="$root/usr/share/gocode" \
    GO111MODULE=off GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0 \
    GOCACHE="$1/go-build" "$root/usr/lib/go-$GO/bin/go" build \
    -o "$1/gospiffe" "$SOURCE" >&2
}

main() {
  local dir scratch
  dir=$KITH_CACHE/gospiffe-$(cache_key "$SOURCE" <<< "$SUITE $GO")
  if [[ ${1:-} != --print-path && ! -x $dir/gospiffe ]]; then
    cache_lock
    log_step 'building the go-spiffe client'
    scratch=$(cache_scratch)
    unpack_packages "$scratch"
    compile "$scratch"
    mkdir -p "$dir"
    mv "$scratch/gospiffe" "$dir/gospiffe"
    rm -rf "$scratch"
  fi
  printf '%s\n' "$dir/gospiffe"
}

main "$@"
