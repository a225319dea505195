# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# grpcurl, which asks a server what it serves (test/clients/grpcurl). `client`
# is the program itself: it has none of the commands of test/clients.

# shellcheck source=../lib/go.sh
. "$SCRIPTS/lib/go.sh"

GRPCURL_SOURCE=$ROOT/test/clients/grpcurl
# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$GRPCURL_SOURCE/go.mod" "$GRPCURL_SOURCE/go.sum" "$SCRIPTS/lib/go.sh")

# build_client DIR
build_client() {
  go_need 1.26
  CGO_ENABLED=0 go_build "$GRPCURL_SOURCE" "$1/client" \
    github.com/fullstorydev/grpcurl/cmd/grpcurl
}
