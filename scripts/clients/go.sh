# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# test/clients/go: the client made of go-spiffe, a static program.

# shellcheck source=../lib/go.sh
. "$SCRIPTS/lib/go.sh"

GO_SOURCE=$ROOT/test/clients/go
# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$GO_SOURCE"/*.go "$GO_SOURCE"/go.{mod,sum} "$SCRIPTS/lib/go.sh")

# build_client DIR
build_client() {
  go_need 1.26
  CGO_ENABLED=0 go_build "$GO_SOURCE" "$1/client" .
}
