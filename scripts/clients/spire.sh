# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# spire-server and spire-agent: the control group of the foreign clients
# (test/engines/spire). A build from an empty module cache takes minutes.

# shellcheck source=../lib/go.sh
. "$SCRIPTS/lib/go.sh"

SPIRE_SOURCE=$ROOT/test/engines/spire
# shellcheck disable=SC2034  # scripts/clients.sh reads it
INPUTS=("$SPIRE_SOURCE/go.mod" "$SPIRE_SOURCE/go.sum" "$SCRIPTS/lib/go.sh")

# build_client DIR: SQLite, which the server keeps its entries in, is C.
build_client() {
  local dir=$1 program
  go_need 1.26
  command -v cc > /dev/null || die 'SPIRE needs a C compiler for its SQLite'
  for program in spire-server spire-agent; do
    CGO_ENABLED=1 go_build "$SPIRE_SOURCE" "$dir/$program" \
      "github.com/spiffe/spire/cmd/$program"
  done
}
