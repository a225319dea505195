# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Programs in Go, with the machine's own toolchain and exactly the modules that
# go.sum names. Needs lib/log.sh.

# go_need VERSION: the machine's go, which never fetches another, is that new.
go_need() {
  local has
  command -v go > /dev/null ||
    die "there is no go in PATH: install Go $1 or newer"
  has=$(GOTOOLCHAIN=local go env GOVERSION)
  has=${has#go}
  [[ $(printf '%s\n' "$1" "${has%%[!0-9.]*}" | sort -V | head -n 1) == "$1" ]] ||
    die "$(command -v go) is Go $has: install Go $1 or newer"
}

# go_build SOURCE PROGRAM PACKAGE: CGO_ENABLED is the caller's. The same source
# makes the same program, wherever the tree is and whatever git knows of it.
go_build() {
  (cd "$1" && GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOWORK=off \
    go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$2" "$3")
}
