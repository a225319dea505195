#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Replaces the agents of two nodes, twice, under streams that fill every buffer,
# and prints how many of the streams broke.
#
#   scripts/upgrade.sh [FLOWS]     default: 200
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC1091  # checked by itself
. "$SCRIPTS/lib/log.sh"

main() {
  [[ $(id -u) -eq 0 ]] || die 'this makes network namespaces and cgroups: run it
as root'
  "$SCRIPTS/build.sh" kith
  KITH_TAKEOVER_FLOWS=${1:-200} "$SCRIPTS/../test/e2e/run.py" \
    TakeoverTwoNodes.test_full_streams_go_on
}

main "$@"
