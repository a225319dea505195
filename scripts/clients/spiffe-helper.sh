# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# spiffe-helper, which keeps SVIDs in files (test/clients/spiffe-helper). `client`
# is the program itself: it has none of the commands of test/clients.

# shellcheck source=../lib/go.sh
. "$SCRIPTS/lib/go.sh"

HELPER_SOURCE=$ROOT/test/clients/spiffe-helper
# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$HELPER_SOURCE/go.mod" "$HELPER_SOURCE/go.sum" "$SCRIPTS/lib/go.sh")

# build_client DIR
build_client() {
  go_need 1.26
  CGO_ENABLED=0 go_build "$HELPER_SOURCE" "$1/client" \
    github.com/spiffe/spiffe-helper/cmd/spiffe-helper
}
